"""What phones need of a person: to be connected, and to be asked for messages."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from django.urls import reverse

from broadcasts.views.attention import admin_page
from broadcasts.views.need_lines import MOST_OF_A_KIND, Need, Step
from messaging.devices import health, words
from messaging.models import DeviceState, Organization, User
from messaging.retransmission import unreadable

MENDED_IN_THE_INTEGRATION = {
    DeviceState.NO_DEVICE,
    DeviceState.REFUSED,
    DeviceState.SILENT,
}


def phones_that_are_waited_for(
    person: User, organization: Organization
) -> Iterator[Need]:
    """Return phones that are not ready while messages wait for them."""
    away = [one for one in health.phones(organization) if not one.is_ready]
    if not away:
        return
    asked_for = health.unreadable_waits(organization)
    waited_for = (
        one
        for one in away
        if one.integration.pk in asked_for or health.queue_waits(one.integration)
    )
    for one in islice(waited_for, MOST_OF_A_KIND):
        page = f"{reverse('messaging:unreadable-list')}#phones"
        yield Need(
            key=f"phone-{one.integration.pk}",
            tone="bad",
            icon="phone",
            title=words.title_of(one),
            text=f"Messages wait for it. {words.sentence_of(one.health)}",
            step=_step(person, one, page),
            url=page,
        )


def _step(person: User, phone: health.Phone, page: str) -> Step:
    """Lead to where it is mended: at the phone, or in the integration."""
    state = phone.health.state if phone.health else ""
    if state in MENDED_IN_THE_INTEGRATION:
        form = admin_page(person, "integration_change", phone.integration.pk)
        if form:
            return Step("Open integration", form)
    return Step("Look at the phone", page)


def unreadable_messages(organization: Organization) -> Iterator[Need]:
    number = unreadable.waiting(organization)
    if not number:
        return
    page = reverse("messaging:unreadable-list")
    them = "it" if number == 1 else "them"
    yield Need(
        key="unreadable",
        tone="warn",
        icon="question",
        title=_unread(number),
        text=f"Ask for {them}: the sender's device then sends {them} once more.",
        step=Step(f"Look at {them}", f"{page}?state=waiting"),
        url=page,
    )


def _unread(number: int) -> str:
    if number == 1:
        return "1 message came in that the phone could not read"
    how_many = str(number)
    if number > unreadable.MOST_MESSAGES:
        how_many = f"More than {unreadable.MOST_MESSAGES}"
    return f"{how_many} messages came in that the phone could not read"
