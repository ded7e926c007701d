"""A cause of failures in words, and the steps that lead out of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from django.urls import reverse
from django.utils import timezone

from broadcasts.causes import NAMED, DetailedGroup, Help, Run
from broadcasts.views.links import messages_where
from messaging.channels.catalogue import Fix
from messaging.failures.kept import MOST_COUNTED
from messaging.models import Integration, IntegrationState, Organization, User
from messaging.sending import available_credits
from messaging.standing import WINDOW_CLOSED
from messaging.views.cause_dialog import dialog_of_cause, page_of_cause
from resend_admin.ui.numbers import grouped
from resend_admin.ui.pills import channel_name
from resend_admin.ui.time_zones import moment_in_words

SWITCHED_OFF = "resend_admin:integration_off"


@dataclass(frozen=True, slots=True)
class Link:
    """The way to where something is put right."""

    label: str
    url: str


@dataclass(frozen=True)
class CauseRow:
    """A group as one person sees it: what to do, and what they may do here."""

    group: DetailedGroup
    person: User
    organization: Organization
    integrations: tuple[Integration, ...] = ()
    credits: int = 0

    @property
    def title(self) -> str:
        return self.group.entry.title

    @property
    def url(self) -> str:
        return page_of_cause(self.group.entry.code)

    @property
    def number(self) -> str:
        """``212``, ``about 212``, or ``1,000+`` of those that failed since."""
        group = self.group
        if group.fails_again and group.again > MOST_COUNTED:
            return f"{MOST_COUNTED:,}+"
        number = grouped(group.wanting or group.number)
        return f"about {number}" if group.is_about else number

    @property
    def failed(self) -> str:
        """``212 messages failed again``, to begin a sentence with."""
        words = "message" if self.number == "1" else "messages"
        again = " again" if self.group.fails_again else ""
        number = f"{self.number[0].upper()}{self.number[1:]}"
        return f"{number} {words} failed{again}"

    @property
    def lede(self) -> str:
        """``212 messages failed in “Renewal”, and 2 on their own``."""
        if self.group.held:
            return f"{self.failed} {self.places}"
        own = "its" if self.number == "1" else "their"
        return f"{self.failed}, sent on {own} own"

    @property
    def advice(self) -> str:
        return self.group.entry.advice

    @property
    def looks_fixed(self) -> str:
        """What tells that the cause has gone by itself, as far as can be seen."""
        match self.group.entry.fix:
            case Fix.CREDITS if self.credits > 0:
                return f"There is credit again: {self.credits:,} left."
            case Fix.INTEGRATION if self.integrations:
                return self._integrations_mended()
        return ""

    def _integrations_mended(self) -> str:
        """All of them send, and were resumed or switched on after the last failure."""
        if any(one.state != IntegrationState.ACTIVE for one in self.integrations):
            return ""
        if self.group.entry.code == SWITCHED_OFF:
            return "The integration is switched on again."
        last, resumed = self.group.last, [one.state_at for one in self.integrations]
        if last and all(moment and moment > last for moment in resumed):
            moment = moment_in_words(max(one for one in resumed if one))
            return f"The integration was resumed on {moment}."
        return ""

    @property
    def now(self) -> str:
        """When what failed of a passing cause may be sent again, and how."""
        group = self.group
        if not group.resendable:
            return (
                "Too old to be resent one by one; a retry of the broadcast still"
                " reaches them."
            )
        if group.ready_at is not None and group.ready_at > timezone.now():
            until = moment_in_words(group.ready_at)
            return f"They can be sent again; the last of them leaves on {until}."
        return "They can be sent again now."

    @property
    def places(self) -> str:
        """``in “Renewal”, “Autumn news” and 3 more broadcasts, and 2 on their own``."""
        group = self.group
        named = [f"“{one.run.name}”" for one in group.places[:NAMED]]
        more = len(group.held) - len(named)
        if more:
            named.append(f"{grouped(more)} more broadcast{'s' if more > 1 else ''}")
        parts = [f"in {_and(named)}"] if named else []
        if group.singles:
            single = "1 on its own" if group.singles == 1 else ""
            parts.append(single or f"{grouped(group.singles)} on their own")
        return ", and ".join(parts)

    @property
    def channels(self) -> str:
        names = (channel_name(one) for one in self.group.channels if one)
        return ", ".join(names)

    @property
    def through(self) -> str:
        """The integrations by name, else their channels."""
        names = [one.name for one in self.integrations[:NAMED]]
        more = len(self.integrations) - len(names)
        return ", ".join(names) + f" and {more} more" * bool(more) or self.channels

    @property
    def spent(self) -> str:
        """Which of them are too old to be resent, and what still reaches them."""
        group, limits = self.group, self.organization
        if not group.spent:
            return ""
        is_all = group.spent >= group.number
        who = "None" if is_all else f"At least {grouped(group.spent)}"
        verb = "can" if is_all else "cannot"
        times = f"{limits.resend_limit} times"
        why = f"older than {limits.resend_max_age_hours} hours, or sent again {times}"
        end = "" if not group.retryable else " A retry of the broadcast still can."
        return f"{who} of them {verb} be resent one by one any more ({why}).{end}"

    @cached_property
    def resend_url(self) -> str:
        """The dialog that sends all of them again; empty where that does not help."""
        group = self.group
        helps = group.help is not Help.NEVER and not group.is_settled
        if not (self.person.may_write and helps):
            return ""
        is_open = group.help is Help.FIX or group.resendable > 0
        return dialog_of_cause(group.entry.code) if is_open else ""

    @property
    def resend_label(self) -> str:
        if self.group.entry.code == WINDOW_CLOSED:
            return "Send a template instead…"
        if self.group.help is Help.FIX:
            return "Mark as fixed and resend…"
        return "Resend them…"

    @property
    def fix(self) -> Link | None:
        """The one place where what the cause asks for is put right, if there is one."""
        match self.group.entry.fix:
            case Fix.INTEGRATION | Fix.ACCOUNT:
                return self._integration()
            case Fix.CREDITS:
                return self._credits()
            case Fix.TEMPLATE:
                return self._fallbacks() or self.messages
        if self.group.help in {Help.FIX, Help.UNCLEAR}:
            return self.messages
        return None

    @property
    def messages(self) -> Link:
        """The messages themselves, by the commonest spelling."""
        url = messages_where(state="failed", error=self.group.codes[0])
        return Link("Look at the messages", url)

    def _integration(self) -> Link | None:
        if not _may_manage(self.person):
            return None
        if len(self.integrations) == 1:
            [only] = self.integrations
            url = reverse("admin:messaging_integration_change", args=[only.pk])
            return Link(f"Open “{only.name}”", url)
        return Link(
            "Open the integrations", reverse("admin:messaging_integration_changelist")
        )

    def _credits(self) -> Link | None:
        """The balance; whoever runs the server tops it up."""
        if not _may_manage(self.person):
            return None
        url = reverse("admin:messaging_creditaccount_changelist")
        return Link("Look at the credits", url)

    def _fallbacks(self) -> Link | None:
        """The fallbacks of the broadcast that most of them are in."""
        run = self.group.retried_first
        if run is None or not self.person.may_write:
            return None
        url = reverse("broadcasts:broadcast-routes", args=[run.pk])
        return Link(f"Edit fallbacks of “{run.name}”", url)


def retry_url(run: Run, person: User) -> str:
    """The dialog that retries a broadcast; empty where it may not be."""
    if not (person.may_write and run.is_retryable):
        return ""
    return reverse("broadcasts:broadcast-retry", args=[run.pk])


def rows_of(
    groups: Iterable[DetailedGroup],
    person: User,
    organization: Organization,
) -> list[CauseRow]:
    """Return a row for each group, with the integrations that it came through."""
    groups = list(groups)
    own = Integration.objects.filter(organization=organization).in_bulk()
    asks = any(one.entry.fix is Fix.CREDITS for one in groups)
    credits = available_credits(organization.pk) if asks else 0
    return [
        CauseRow(
            one,
            person,
            organization,
            tuple(own[pk] for pk in one.integration_ids if pk in own),
            credits,
        )
        for one in groups
    ]


def _may_manage(person: User) -> bool:
    return person.is_staff and person.may_manage


def _and(names: list[str]) -> str:
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])} and {names[-1]}"
