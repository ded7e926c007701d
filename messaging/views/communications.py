"""Everything that was sent to one member, on every channel: a page and a frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from messaging.models import Contact, Message
from messaging.models.message import LOST_STATES
from messaging.offers import Offer, offers_of
from messaging.policy import Reason
from messaging.views.broadcast_names import BroadcastName, broadcast_names
from messaging.views.shown_content import title_of
from messaging.views.ticket_words import facts_of, ticket_sentence
from resend_admin.ui.keyset import KeysetPage, keyset_page


@dataclass(frozen=True, slots=True)
class Communication:
    """One line of the tab. ``offer`` is missing for those who may not send."""

    message: Message
    title: str
    broadcast: BroadcastName | None
    sentence: str
    offer: Offer | None
    resend_url: str

    @property
    def reason(self) -> str:
        """Why it is not offered; short where the sentence beside it says the rest."""
        if self.offer is None:
            return ""
        if self.offer.standing.code == Reason.WILL_NOT_HELP:
            return "Sending it again does not help."
        return self.offer.reason

    @property
    def did_not_arrive(self) -> bool:
        return self.message.state in LOST_STATES


def communications(
    member: Contact,
    asked: Mapping[str, str],
    resend_url: Callable[[Message], str] | None,
) -> tuple[KeysetPage[Message], list[Communication]]:
    """Return a page of the member's messages, newest first, for a few queries.

    ``asked`` are the parameters of the address. ``resend_url`` leads to sending one
    again; without it nothing is offered.
    """
    organization = member.organization
    sent = Message.objects.filter(organization=organization, contact=member)
    page = keyset_page(
        sent.select_related("contact", "integration", "content", "amended_content"),
        asked,
        order=("-id",),
        size=25,
    )
    names = broadcast_names(organization, [one.broadcast_id for one in page.rows])
    facts = facts_of(page.rows)
    offers = offers_of(organization, page.rows) if resend_url else {}
    rows = [
        Communication(
            message=one,
            title=title_of(one),
            broadcast=names.get(one.broadcast_id or 0),
            sentence=ticket_sentence(one, facts[one.pk]),
            offer=offers.get(one.pk),
            resend_url=resend_url(one) if resend_url else "",
        )
        for one in page.rows
    ]
    return page, rows
