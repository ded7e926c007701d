"""What a report is about: which days, which channel, which sender, which broadcast.

All of it lives in the URL. What does not make sense there is told in a sentence and
left out; the rest still counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.text import Truncator

from broadcasts.models import Broadcast
from broadcasts.models.broadcast import QUOTA_STATES
from messaging.models import Integration, Organization
from messaging.models.contact import channel_choices
from resend_admin.ui.pills import channel_name

OWN: Final = "own"
PERIODS: Final = {
    "7": "7 days",
    "30": "30 days",
    "90": "90 days",
    "365": "12 months",
    OWN: "Own dates",
}
USUAL: Final = "30"
MOST_DAYS: Final = 400
OFFERED_BROADCASTS: Final = 100
"""The latest ones; older ones come by a link."""
LONGEST_NAME: Final = 60
Row = TypeVar("Row", bound=Model)
LARGEST_ID: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Choice:
    """``first`` and ``last`` are days of the organization, both included."""

    organization: Organization
    period: str
    first: date
    last: date
    channel: str = ""
    integration: Integration | None = None
    broadcast: Broadcast | None = None
    runs: tuple[int, ...] = ()
    """The broadcast and, if it is the first of a chain, its retries: so each person
    counts once. A retry stands for itself."""
    faults: tuple[str, ...] = ()
    hint: str = ""

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def is_narrowed(self) -> bool:
        return bool(self.channel or self.integration or self.broadcast)

    @property
    def query(self) -> str:
        """The choice as it stands in an address; the same report, whenever it is
        opened, if the days were chosen."""
        values: dict[str, Any] = {"period": self.period}
        if self.period == OWN:
            values |= {"since": self.first.isoformat(), "until": self.last.isoformat()}
        values |= {
            "channel": self.channel,
            "integration": self.integration and self.integration.pk,
            "broadcast": self.broadcast and self.broadcast.pk,
        }
        return urlencode({name: value for name, value in values.items() if value})

    @property
    def days_in_words(self) -> str:
        first, last = self.first, self.last
        if first == last:
            return f"{last.day} {last:%B %Y}"
        if first.year != last.year:
            return f"{first.day} {first:%b %Y} to {last.day} {last:%b %Y}"
        return f"{first.day} {first:%b} to {last.day} {last:%b %Y}"

    @property
    def scope_in_words(self) -> str:
        """What was chosen besides the days."""
        parts = []
        if self.broadcast:
            retries = " with its retries" if len(self.runs) > 1 else ""
            parts.append(f"broadcast “{self.broadcast.name}”{retries}")
        if self.integration:
            parts.append(f"integration “{self.integration.name}”")
        if self.channel:
            parts.append(f"{channel_name(self.channel)} only")
        return ", ".join(parts) or "all channels and broadcasts"


class ReportForm(forms.Form):
    """Fields in the order of the page. Each refusal says what is shown instead."""

    period = forms.ChoiceField(
        label="Period",
        required=False,
        choices=list(PERIODS.items()),
        widget=forms.RadioSelect,
        error_messages={
            "invalid_choice": "There is no such period. Shown are the last 30 days."
        },
    )
    since = forms.DateField(
        label="First day",
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
        error_messages={
            "invalid": "The first day is not a date. Enter one such as 2026-11-21."
        },
    )
    until = forms.DateField(
        label="Last day",
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
        error_messages={
            "invalid": "The last day is not a date. Enter one such as 2026-11-21."
        },
    )
    channel = forms.ChoiceField(
        label="Channel",
        required=False,
        choices=lambda: [("", "Any channel"), *channel_choices()],
        error_messages={"invalid_choice": "There is no such channel. Shown are all."},
    )
    integration = forms.IntegerField(
        label="Integration",
        required=False,
        widget=forms.Select,
        error_messages={"invalid": "There is no such integration here. Shown are all."},
    )
    broadcast = forms.IntegerField(
        label="Broadcast",
        required=False,
        widget=forms.Select,
        error_messages={"invalid": "There is no such broadcast here. Shown are all."},
    )

    def __init__(self, organization: Organization, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization

    def clean_integration(self) -> Integration | None:
        own = Integration.objects.filter(organization=self.organization)
        return _own(own, self.cleaned_data["integration"], "integration")

    def clean_broadcast(self) -> Broadcast | None:
        own = Broadcast.objects.filter(organization=self.organization)
        return _own(own, self.cleaned_data["broadcast"], "broadcast")


def _own(rows: QuerySet[Row], pk: int | None, noun: str) -> Row | None:
    if pk is None:
        return None
    found = rows.filter(pk=pk).first() if 0 < pk <= LARGEST_ID else None
    if found is None:
        raise ValidationError(f"There is no such {noun} here. Shown are all.")
    return found


def choice_of(organization: Organization, query: QueryDict) -> Choice:
    """Read the choice from the address; never fails."""
    form = ReportForm(organization, query)
    form.is_valid()
    known = form.cleaned_data
    faults = [str(text) for texts in form.errors.values() for text in texts]
    today = timezone.localdate(timezone=organization.zone)
    since, until = known.get("since"), known.get("until")
    broadcast: Broadcast | None = known.get("broadcast")
    period = known.get("period") or ""
    if not period and broadcast and not (since or until):
        since = _day_of(broadcast, organization)
    if not period:
        period = OWN if since or until else USUAL
    if period == OWN:
        first, last, fault = _own_days(since, until, today)
        faults += [fault] if fault else []
    else:
        first, last = today - timedelta(days=int(period) - 1), today
    asks_for_days = period == OWN and not (since or until) and not faults
    return Choice(
        organization=organization,
        period=period,
        first=first,
        last=last,
        channel=known.get("channel") or "",
        integration=known.get("integration"),
        broadcast=broadcast,
        runs=_runs(broadcast),
        faults=tuple(faults),
        hint="Choose the first and the last day." if asks_for_days else "",
    )


def _runs(broadcast: Broadcast | None) -> tuple[int, ...]:
    if broadcast is None:
        return ()
    retries = Broadcast.objects.filter(root=broadcast).values_list("pk", flat=True)
    return (broadcast.pk, *retries.order_by("pk"))


def _day_of(broadcast: Broadcast, organization: Organization) -> date:
    """Return the day on which a broadcast began: a link to it names no days."""
    moment = broadcast.started_at or broadcast.run_at or broadcast.created_at
    return timezone.localdate(moment, timezone=organization.zone)


def _own_days(
    since: date | None, until: date | None, today: date
) -> tuple[date, date, str]:
    """Return the days to show, and what is wrong with those that were asked for."""
    usual = timedelta(days=int(USUAL) - 1)
    last = min(until or today, today)
    first = since or max(last, date.min + usual) - usual
    if first > last:
        sentence = (
            "The first day lies after the last one, or in the future. "
            f"Shown are the last {USUAL} days."
        )
        return today - usual, today, sentence
    if (last - first).days >= MOST_DAYS:
        sentence = f"A report covers at most {MOST_DAYS} days. Shown are the latest."
        return last - timedelta(days=MOST_DAYS - 1), last, sentence
    return first, last, ""


def form_for(choice: Choice) -> ReportForm:
    """Return the form as it is shown: what is applied stands in it, nothing else."""
    form = ReportForm(
        choice.organization,
        initial={
            "period": choice.period,
            "since": choice.first if choice.period == OWN and not choice.hint else None,
            "until": choice.last if choice.period == OWN and not choice.hint else None,
            "channel": choice.channel,
            "integration": choice.integration and choice.integration.pk,
            "broadcast": choice.broadcast and choice.broadcast.pk,
        },
    )
    integrations = Integration.objects.filter(organization=choice.organization)
    form.fields["integration"].widget.choices = [
        ("", "Any"),
        *integrations.order_by("name").values_list("pk", "name"),
    ]
    form.fields["broadcast"].widget.choices = [
        ("", "Any"),
        *_offered(choice),
    ]
    return form


def _offered(choice: Choice) -> Iterable[tuple[int, str]]:
    latest = (
        Broadcast.objects.filter(organization=choice.organization)
        .exclude(state__in=QUOTA_STATES)
        .order_by("-pk")
        .values_list("pk", "name")[:OFFERED_BROADCASTS]
    )
    offered = dict(latest)
    if choice.broadcast and choice.broadcast.pk not in offered:
        offered[choice.broadcast.pk] = choice.broadcast.name
    return [(pk, Truncator(name).chars(LONGEST_NAME)) for pk, name in offered.items()]
