"""What stands still: all sending, or one integration that is paused or incomplete."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice

from django.urls import reverse
from django.utils import timezone

from broadcasts import overdue
from broadcasts.views.attention import Trouble
from broadcasts.views.links import messages_where
from broadcasts.views.need_lines import MOST_OF_A_KIND, Need, Step
from messaging import diagnosis
from messaging.diagnosis import Cause, Holdup
from messaging.dispatch import circuit
from messaging.models import Integration, IntegrationState, Organization, User
from resend_admin.ui.time_zones import moment_in_words

UNSENT = "unsent"
"""The state of the message list that shows everything in a queue."""


def standstill(
    person: User, organization: Organization, troubled: Sequence[Trouble]
) -> Iterator[Need]:
    """Nothing is being sent; each paused integration has a line of its own."""
    starts = overdue.starts(organization.pk)
    found = diagnosis.holdups(organization.pk, starts)
    yield from _everything(found)
    off = IntegrationState.OFF
    wanting = [one for one in troubled if one.integration.state != off]
    shown = wanting[:MOST_OF_A_KIND]
    paused = [one.integration for one in shown if _is_paused(one.integration)]
    number = _waiting(organization, paused) if paused else {}
    since = {one.integration_id: one.since for one in found}
    for one in shown:
        key = one.integration.pk
        if _is_paused(one.integration):
            yield _paused(person, one, number.get(key, 0), since.get(key))
        else:
            yield _incomplete(one)


def _everything(found: Sequence[Holdup]) -> Iterator[Need]:
    alarms = (one for one in found if one.is_alarm and one.cause is not Cause.PAUSED)
    for held in islice(alarms, 1):
        is_start = held.cause is Cause.NOT_TAKEN and held.integration_id is None
        yield Need(
            key="standstill",
            tone="bad",
            icon="warning",
            title="What is due does not start" if is_start else "Nothing is being sent",
            text=f"{held.sentence} {held.advice}".strip(),
            step=Step("Look at it", held.url)
            if held.url
            else Step("Look at the queue", messages_where(state=UNSENT)),
        )


def _is_paused(integration: Integration) -> bool:
    return integration.state == IntegrationState.PAUSED


def _waiting(
    organization: Organization, paused: Sequence[Integration]
) -> Mapping[int, int]:
    """Return how many wait, also behind what has been paused for many days."""
    now = timezone.now()
    longest = max((now - (one.state_at or now)).days for one in paused)
    days = min(diagnosis.DAYS + longest, organization.retention_days)
    return diagnosis.waiting(organization.pk, max(days, diagnosis.DAYS))


def _incomplete(trouble: Trouble) -> Need:
    step = Step("Open integration", trouble.url) if trouble.url else None
    waits = "" if step else " Ask an admin to look at it."
    return Need(
        key=f"integration-{trouble.integration.pk}",
        tone=trouble.tone,
        icon=trouble.icon,
        title=f"“{trouble.integration.name}” is {trouble.word.lower()}",
        text=f"{trouble.why}{waits}",
        step=step,
        url=trouble.url or _queue_of(trouble.integration),
    )


def _paused(
    person: User, trouble: Trouble, number: int, since: datetime | None
) -> Need:
    """Say why, what waits and since when, and who goes on how."""
    integration = trouble.integration
    resume = reverse("messaging:integration-resume", args=[integration.pk])
    steps = [Step("Resume sending", resume, is_posted=True)] if person.may_write else []
    if trouble.url:
        steps.append(Step("Open integration", trouble.url))
    sentences = (trouble.why, _queue_in_words(number, since), _advice(person, trouble))
    return Need(
        key=f"integration-{integration.pk}",
        tone=trouble.tone,
        icon=trouble.icon,
        title=f"“{integration.name}” is {trouble.word.lower()}",
        text=" ".join(filter(None, sentences)),
        step=steps[0] if steps else None,
        other_step=steps[1] if steps[1:] else None,
        url=_queue_of(integration),
    )


def _queue_in_words(number: int, since: datetime | None) -> str:
    """``since`` is when the first of them was due, if that is a while ago."""
    if not number and since is None:
        return "Nothing goes out by it. What is due meanwhile waits, and is not lost."
    waits = diagnosis.messages_wait(number).lower()
    when = f" since {moment_in_words(since)}" if since else ""
    first = ", the first" if when and number > 1 else ""
    lost = "it is not lost" if number == 1 else "none is lost"
    return f"Nothing goes out by it: {waits}{first}{when}, and {lost}."


def _advice(person: User, trouble: Trouble) -> str:
    """What to do next: refused credentials are refused again until they are renewed."""
    if not circuit.is_open(trouble.integration):
        if person.may_write:
            return "Resume sending once its cause is mended."
        return "Ask an admin to look at it."
    if trouble.url:
        return "Renew its credentials in the integration, then resume sending."
    if person.may_write:
        return "Ask an admin to renew its credentials, then resume sending."
    return "Ask an admin to renew its credentials and to resume sending."


def _queue_of(integration: Integration) -> str:
    return messages_where(integration=str(integration.pk), state=UNSENT)
