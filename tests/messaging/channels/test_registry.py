"""The register of providers, and what it tells about each."""

from __future__ import annotations

import pytest

from messaging.channels import PROVIDERS, provider, providers_for
from messaging.channels.contract import Channel, ContentKind
from tests.messaging.channels.samples import SECRETS, SETTINGS


def test_the_providers_in_the_order_of_the_forms() -> None:
    assert list(PROVIDERS) == [
        "whatsapp_cloud",
        "device_gateway",
        "telegram_bot",
        "twilio",
        "smtp",
    ]
    assert provider("smtp").channel == Channel.EMAIL


def test_an_unknown_kind_names_those_there_are() -> None:
    with pytest.raises(KeyError, match="no provider 'fax'; there are whatsapp_cloud"):
        provider("fax")


@pytest.mark.parametrize("channel", list(Channel))
def test_every_channel_has_a_provider(channel: Channel) -> None:
    assert {one.channel for one in providers_for(channel)} == {channel}


@pytest.mark.parametrize("kind", list(PROVIDERS))
def test_fields_describe_credentials_and_settings(kind: str) -> None:
    fields = {field.name: field for field in PROVIDERS[kind].fields}
    assert {name for name, field in fields.items() if field.credential} == set(
        SECRETS[kind]
    )
    assert set(SETTINGS[kind]) <= set(fields)
    for field in fields.values():
        assert field.label
        assert field.credential or not field.secret


@pytest.mark.parametrize("kind", list(PROVIDERS))
def test_everybody_carries_texts_templates_and_flows(kind: str) -> None:
    carried = PROVIDERS[kind].content_kinds
    assert {ContentKind.TEXT, ContentKind.TEMPLATE, ContentKind.FLOW} <= carried
    assert PROVIDERS[kind].default_rate > 0
    assert PROVIDERS[kind].timeout > 0
