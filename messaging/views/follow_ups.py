"""Messages that wait for the member to answer a template, for the pages."""

from __future__ import annotations

from messaging.models import FollowUp, Message


def latest_follow_up(message: Message) -> FollowUp | None:
    """Return the last time that a template was sent so that this could follow."""
    found = FollowUp.objects.filter(message=message).order_by("-pk")
    return found.select_related("opener__content").first()


def opened_for(message: Message) -> FollowUp | None:
    """Return what this message, a template, was sent for."""
    found = FollowUp.objects.filter(opener=message).order_by("-pk")
    return found.select_related("message__content").first()
