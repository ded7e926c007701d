"""The channels: one module per provider, and the register of all of them.

To add a provider, write a module whose class keeps the promises of
:class:`messaging.channels.contract.Provider`, list an instance of it below,
give the conformance suite a stand-in for its server, and describe its error
codes in the catalogue.
"""

from __future__ import annotations

from messaging.channels.contract import Channel, Provider
from messaging.channels.device_gateway import DeviceGateway
from messaging.channels.smtp import Smtp
from messaging.channels.telegram_bot import TelegramBot
from messaging.channels.twilio import Twilio
from messaging.channels.whatsapp_cloud import WhatsAppCloud

__all__ = ["PROVIDERS", "provider", "providers_for"]

_ALL: tuple[Provider, ...] = (
    WhatsAppCloud(),
    DeviceGateway(),
    TelegramBot(),
    Twilio(),
    Smtp(),
)

PROVIDERS: dict[str, Provider] = {provider.kind: provider for provider in _ALL}
"""Every provider by its kind, in the order in which forms offer them."""


def provider(kind: str) -> Provider:
    """Return a provider. Raise ``KeyError``, naming those there are."""
    try:
        return PROVIDERS[kind]
    except KeyError:
        known = ", ".join(PROVIDERS)
        message = f"There is no provider {kind!r}; there are {known}."
        raise KeyError(message) from None


def providers_for(channel: Channel | str) -> list[Provider]:
    """Return the providers that reach people on a channel."""
    return [one for one in PROVIDERS.values() if one.channel == channel]
