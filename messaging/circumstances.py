"""What is known about messages when somebody asks whether they may go again.

For one message or a list of them by the same few queries. A bulk resend, which judges
a hundred thousand, gathers the same by a statement of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from messaging.channels.contract import Channel
from messaging.models import IntegrationPace, Message
from messaging.sending import available_credits
from messaging.standing import Circumstances, every_part_sent, taken_over

WINDOW: Final = timedelta(hours=24)
"""How long WhatsApp takes free-form messages after the member wrote."""


def circumstances_of(
    organization_id: int, messages: Sequence[Message]
) -> dict[int, Circumstances]:
    """Return what is known about each message of an organization.

    They come with their contact and integration.
    """
    now = timezone.now()
    paces = IntegrationPace.objects.in_bulk(
        {one.integration_id for one in messages if one.integration_id}
    )
    prices = {
        one.pk: one.integration.credit_price if one.integration else 0
        for one in messages
    }
    credits = available_credits(organization_id) if any(prices.values()) else 0
    theirs = taken_over(messages)
    complete = every_part_sent(messages)
    return {
        one.pk: Circumstances(
            state=one.state,
            resends=one.resends,
            error_code=one.error_code,
            age=(now - one.created_at).total_seconds(),
            since_failure=(now - one.state_at).total_seconds(),
            provider_pause=_pause(paces.get(one.integration_id or 0), now),
            opted_out=one.channel in one.contact.opted_out_channels,
            window_open=_is_window_open(one, now),
            integration_state=one.integration.state if one.integration else "",
            price=prices[one.pk],
            credits=credits,
            is_taken_over=one.pk in theirs,
            is_every_part_sent=one.pk in complete,
        )
        for one in messages
    }


def _is_window_open(message: Message, now: datetime) -> bool:
    """Tell whether the member has opened WhatsApp's window since the last attempt.

    What they wrote before it does not count: the provider knew, and refused.
    """
    wrote_at = message.contact.whatsapp_inbound_at
    if message.channel != Channel.WHATSAPP or wrote_at is None:
        return False
    return wrote_at > now - WINDOW and wrote_at >= message.state_at


def _pause(pace: IntegrationPace | None, now: datetime) -> float:
    if pace is None or pace.paused_until is None:
        return 0.0
    return max(0.0, (pace.paused_until - now).total_seconds())
