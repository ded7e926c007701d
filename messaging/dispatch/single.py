"""One message on its own, sent by whoever asked: the same claim, send, settle."""

from __future__ import annotations

from messaging.dispatch import pace, pump
from messaging.dispatch.claim import claim
from messaging.dispatch.flight import in_flight
from messaging.models import Integration


def send_now(integration: Integration, message_id: int) -> bool:
    """Send one queued message and wait for the answer; tell whether it left.

    The wait ends with the provider's time-out at the latest. ``False`` when the
    rate, a pause or a refusal kept it from leaving: then it stays in the queue,
    where the pump finds it, or it has its reason on it.
    """
    pace.prepare(integration.pk)
    claimed = claim(integration, limit=1, message_id=message_id)
    if not claimed.attempts:
        return False
    with in_flight(integration, concurrency=1) as flight:
        flight.launch(claimed)
        while len(flight):
            pump.land(integration, flight)
    return True
