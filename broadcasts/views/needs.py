"""What needs a person now: one line each, the worst first, each with its next step.

A line without a step that somebody may take is no line here: it would only alarm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import chain
from typing import Final

from django.urls import reverse
from django.utils import timezone

from broadcasts.causes import Group, Help, detailed, groups, runs_begun
from broadcasts.models import Broadcast, BroadcastState
from broadcasts.views.attention import Slots, Trouble, stopped_retries
from broadcasts.views.cause_words import CauseRow, retry_url, rows_of
from broadcasts.views.links import page_of
from broadcasts.views.need_lines import MOST_OF_A_KIND, Need, Needs, Step
from broadcasts.views.phone_needs import (
    phones_that_are_waited_for,
    unreadable_messages,
)
from broadcasts.views.standstill import standstill
from messaging.channels.catalogue import Fix
from messaging.failures.kept import SLACK, kept_unknown
from messaging.models import Organization, User
from messaging.webhooks import endpoints
from resend_admin.ui.numbers import grouped
from resend_admin.ui.time_zones import day_in_words

MOST_CAUSES: Final = 5
WEEK: Final = timedelta(days=7)


def needs(
    person: User,
    organization: Organization,
    troubled: Sequence[Trouble],
    slots: Slots,
) -> Needs:
    """Return what needs this person; ``troubled`` and ``slots`` the caller knows."""
    every = groups(organization)
    wanting = [one for one in every if one.needs_a_person]
    shown = detailed(organization, wanting[:MOST_CAUSES])
    rows = rows_of(shown, person, organization)
    kinds = (
        standstill(person, organization, troubled),
        phones_that_are_waited_for(person, organization),
        _could_not_run(organization),
        _webhooks(person, organization),
        (_cause(one) for one in rows),
        _unknown(organization),
        unreadable_messages(organization),
        _ageing(every, person, organization),
        _stopped(person, organization),
        _slots(slots),
    )
    return Needs(list(chain.from_iterable(kinds)), len(wanting) - len(rows))


def _webhooks(person: User, organization: Organization) -> Iterator[Need]:
    """Endpoints that take nothing, for those who may mend them."""
    if not person.may_manage:
        return
    for one in endpoints.notices(organization)[:MOST_OF_A_KIND]:
        page = reverse("messaging:webhook-detail", args=[one.endpoint.pk])
        yield Need(
            key=f"webhook-{one.endpoint.pk}",
            tone=one.tone,
            icon="cross" if one.tone == "bad" else "warning",
            title=f"Events do not reach “{one.endpoint.name}”",
            text=one.sentence,
            step=Step("Open endpoint", page),
            url=page,
        )


def _could_not_run(organization: Organization) -> Iterator[Need]:
    rows = Broadcast.objects.filter(
        organization=organization,
        state=BroadcastState.FAILED,
        finished_at__gte=timezone.now() - WEEK,
    ).order_by("-pk")
    for one in rows[:MOST_OF_A_KIND]:
        yield Need(
            key=f"broadcast-{one.pk}",
            tone="bad",
            icon="cross",
            title=f"“{one.name}” could not run",
            text=one.state_reason or "Nobody was sent anything.",
            step=Step("Open broadcast", page_of(one)),
            url=page_of(one),
        )


def _cause(row: CauseRow) -> Need:
    group = row.group
    is_fix = group.help is Help.FIX
    text = row.advice if is_fix or group.help is Help.UNCLEAR else row.now
    return Need(
        key=f"cause-{group.entry.code}",
        tone="bad" if group.fails_again else "warn" if is_fix else "info",
        icon="wrench" if is_fix else "retry",
        title=f"{row.failed}: {row.title}",
        text=text,
        step=_step_of(row),
        url=row.url,
    )


def _step_of(row: CauseRow) -> Step:
    """First to the fix, where that is a place of its own; then to the resend."""
    is_here = row.group.entry.fix in {Fix.TEMPLATE, Fix.MEDIA}
    is_elsewhere = not (is_here or row.looks_fixed)
    if row.fix and is_elsewhere and row.group.help is Help.FIX:
        return Step(row.fix.label, row.fix.url)
    if row.resend_url:
        return Step(row.resend_label, row.resend_url, is_dialog=True)
    run = row.group.retried_first
    is_one = run is not None and len(row.group.retryable) == 1
    if run and is_one and (url := retry_url(run, row.person)):
        return Step("Retry failed…", url, is_dialog=True)
    return Step("Look at it", row.url)


def _unknown(organization: Organization) -> Iterator[Need]:
    number = kept_unknown(organization)
    if not number:
        return
    messages = "1 message" if number == 1 else f"{grouped(number)} messages"
    yield Need(
        key="unknown",
        tone="warn",
        icon="question",
        title=f"{messages} may or may not have arrived",
        text="Nothing is sent again by itself. A receipt may still settle it; until"
        " then you decide.",
        step=Step("Look at them", reverse("messaging:message-unknown")),
        url=reverse("messaging:message-unknown"),
    )


def _ageing(
    every: Sequence[Group], person: User, organization: Organization
) -> Iterator[Need]:
    """Lists of members whom a retry would reach, gone within a week."""
    days = timedelta(days=organization.retention_days)
    now = timezone.now()
    helped = [one for one in every if one.help is not Help.NEVER and not one.is_settled]
    ageing = runs_begun(organization, now - days - SLACK, now + WEEK - days)
    missed = {
        run: number
        for run in (ageing if helped else ())
        if (number := sum(one.held.get(run.pk, 0) for one in helped))
    }
    for run in list(missed)[:MOST_OF_A_KIND]:
        ends_at = run.begun_at + days
        members = "1 member" if missed[run] == 1 else f"{grouped(missed[run])} members"
        url = retry_url(run, person)
        page = reverse("broadcasts:broadcast-detail", args=[run.pk])
        yield Need(
            key=f"ageing-{run.pk}",
            tone="info",
            icon="clock",
            title=f"“{run.name}” can be retried until {day_in_words(ends_at)}",
            text=f"{members} did not get it. The list of them is kept for"
            f" {grouped(organization.retention_days)} days.",
            step=(
                Step("Retry failed…", url, is_dialog=True)
                if url
                else Step("Open broadcast", page)
            ),
            url=page,
        )


def _stopped(person: User, organization: Organization) -> Iterator[Need]:
    found = stopped_retries(person, organization)
    for one in found.rows[:MOST_OF_A_KIND] if found else ():
        retry = one.retry
        yield Need(
            key=f"stopped-{retry.pk}",
            tone="warn",
            icon="pause",
            title=f"Automatic retries stopped: {one.title}",
            text=f"{grouped(retry.delivered)} of the last {grouped(retry.tried)}"
            f" retries arrived ({retry.error_code}). An administrator resumes them once"
            " the cause is gone.",
            step=Step("Resume them", found.url) if found and found.url else None,
        )


def _slots(slots: Slots) -> Iterator[Need]:
    if not slots.are_scarce:
        return
    drafts = f"{reverse('broadcasts:broadcast-list')}?state=draft"
    yield Need(
        key="slots",
        tone="info",
        icon="inbox",
        title=f"{grouped(slots.used)} of {grouped(slots.quota)} slots are in use",
        text="Drafts and scheduled broadcasts take one each; without a free one nothing"
        " new can be planned.",
        step=Step("Look at the drafts", drafts),
        url=drafts,
    )
