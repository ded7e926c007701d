"""“Retry failed”: the dialog, and what happens when it is confirmed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from broadcasts import expectation, quota, retry, retrying, schedule
from broadcasts.forms import RetryForm
from broadcasts.forms.retry import Confirmed
from broadcasts.in_the_way import live_retry
from broadcasts.models import Broadcast
from broadcasts.patience import LONGEST
from broadcasts.problems import Problem, ProblemCode
from broadcasts.retry import RetryOffer
from broadcasts.views.links import page_for, page_of
from broadcasts.views.outcomes import cause_rows
from broadcasts.views.refusals import show
from messaging.access import own_or_404, person_of, role_required
from messaging.figures.shown import sentences, shown_of
from messaging.models import Role
from messaging.patience import OPENING, TooLongError
from resend_admin.ui.dialogs import (
    asks_for_dialog,
    close_dialog,
    may_wait,
    render_dialog,
    render_waiting,
)
from resend_admin.ui.time_zones import moment_in_words, zone_name

SET = "retry-set"
"""The part of the dialog that a tick of “Also the unknown ones” replaces."""
LOOKING = (
    "Looking at every failed message, to leave out whom another run has reached. That"
    " takes a few seconds for very many."
)


@require_http_methods(["GET", "POST"])
@role_required(Role.EDITOR)
def broadcast_retry(request: HttpRequest, pk: int) -> HttpResponse:
    source = Broadcast.objects.select_related("organization", "root", "retry_of")
    dialog = RetryDialog(request, own_or_404(request, source, pk))
    return dialog.confirmed() if request.method == "POST" else dialog.asked()


@dataclass(frozen=True, slots=True)
class RetryDialog:
    request: HttpRequest
    broadcast: Broadcast

    def asked(self) -> HttpResponse:
        """Show the dialog; what was ticked or typed so far comes in the query."""
        typed = self.request.GET
        include_unknown = bool(typed.get("include_unknown"))
        try:
            offer = retry.offer(
                self.broadcast,
                include_unknown=include_unknown,
                longest=OPENING if may_wait(self.request) else LONGEST,
            )
        except TooLongError:
            return render_waiting(self.request, "Retry failed messages", LOOKING)
        initial = {
            "run_at": typed.get("run_at") or offer.run_at,
            "include_unknown": include_unknown,
        }
        return self._page(offer, RetryForm(initial=initial, offer=offer))

    def confirmed(self) -> HttpResponse:
        posted = self.request.POST
        include_unknown = bool(posted.get("include_unknown"))
        offer = retry.offer(self.broadcast, include_unknown=include_unknown)
        form = RetryForm(posted, offer=offer)
        seen = Confirmed(posted)
        if not seen.is_valid():
            return self._again(offer, form, _look_again(offer))
        if seen.cleaned_data["shown_unknown"] != include_unknown:
            return self._again(offer, form, _look_again(offer))
        if not form.is_valid():
            return self._page(offer, form)
        return self._create(offer, form, seen.cleaned_data, include_unknown)

    def _create(
        self,
        offer: RetryOffer,
        form: RetryForm,
        seen: dict[str, Any],
        include_unknown: bool,
    ) -> HttpResponse:
        try:
            made = retrying.create(
                broadcast=self.broadcast,
                person=person_of(self.request),
                run_at=form.cleaned_data["run_at"],
                time_zone=zone_name(),
                shown_count=seen["shown_count"],
                shown_at=seen["shown_at"],
                include_unknown=include_unknown,
            )
        except Problem as problem:
            twin = self._submitted_before(problem, seen["shown_at"])
            if twin is not None:
                return self._done(twin, seen["shown_count"])
            return self._page(offer, form, show(problem, form))
        return self._done(made, seen["shown_count"])

    def _submitted_before(
        self, problem: Problem, shown_at: datetime
    ) -> Broadcast | None:
        """Return the retry that this very dialog made, when it was sent twice."""
        if problem.code != ProblemCode.CONFLICT:
            return None
        live = live_retry(self.broadcast)
        person = person_of(self.request)
        if live is None or live.created_by_id != person.pk:
            return None
        return live if live.created_at >= shown_at else None

    def _done(self, made: Broadcast, count: int) -> HttpResponse:
        run_at = made.run_at or made.created_at
        members = "1 member" if count == 1 else f"{count:,} members"
        text = f"{members} will be tried again on {moment_in_words(run_at)}."
        return close_dialog(self.request, page_of(made), text)

    def _again(self, offer: RetryOffer, form: RetryForm, sentence: str) -> HttpResponse:
        form.add_error(None, sentence)
        return self._page(offer, form, HTTPStatus.CONFLICT)

    def _page(
        self, offer: RetryOffer, form: RetryForm, status: int | None = None
    ) -> HttpResponse:
        is_part = self.request.headers.get("HX-Target") == SET
        is_dialog = is_part or asks_for_dialog(self.request)
        shown_unknown = "include_unknown" in form.fields and bool(
            form["include_unknown"].value()
        )
        context: dict[str, Any] = {
            "broadcast": self.broadcast,
            "form": form,
            "offer": offer,
            "question": _question(offer, includes_unknown=shown_unknown),
            **self._expected(offer),
            "routes_url": (
                page_for("routes", self.broadcast)
                if schedule.may_edit_routes(self.broadcast).enabled
                else ""
            ),
            "in_dialog": is_dialog,
            "shown_at": f"{offer.shown_at:%Y-%m-%dT%H:%M:%S.%f%z}",
            "shown_count": str(offer.count),
            "shown_unknown": shown_unknown,
            "action": self.request.path,
            "cancel_url": page_of(self.broadcast),
            "page_title": "Retry failed",
            "dialog_off": self._why_off(offer),
        }
        if is_part:
            context["dialog_base"] = "ui/dialog.html"
        return render_dialog(
            self.request, "broadcasts/broadcast_retry.html", context, status=status
        )

    def _expected(self, offer: RetryOffer) -> dict[str, Any]:
        """Return the causes, each with what retrying it is likely to bring."""
        told = expectation.of_offer(self.broadcast, offer)
        rows = cause_rows(self.broadcast, offer.causes)
        return {
            "causes": [(row, shown_of(told, row.cause.code)) for row in rows],
            "expected": sentences(told, offer.run_at) if told.count else [],
        }

    def _why_off(self, offer: RetryOffer) -> str:
        """Say at once what confirming would run into: the state, or the quota."""
        if not offer.state.enabled:
            return offer.state.reason
        return quota.refusal(self.broadcast.organization)


def _question(offer: RetryOffer, *, includes_unknown: bool) -> str:
    """``Retry 259 failed and 6 unknown messages``: each by what is known of it."""
    if not offer.count:
        return "Retry failed messages"
    unknown = offer.unknown_count if includes_unknown else 0
    failed = offer.count - unknown
    which = f"{failed:,} failed" + (f" and {unknown:,} unknown" if unknown else "")
    last = unknown or failed
    return f"Retry {which} message{'' if last == 1 else 's'}"


def _look_again(offer: RetryOffer) -> str:
    """Say the number that is confirmed next."""
    members = "1 member" if offer.count == 1 else f"{offer.count:,} members"
    return f"Now it is {members}. Look again and confirm."
