"""“Resend selected”: the verdict per cause, and what happens when it is confirmed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, ClassVar, Final

from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from messaging.access import organization_of, person_of, role_required
from messaging.bulk import expectation, freezing
from messaging.bulk.freezing import Order
from messaging.bulk.judging import Remedy
from messaging.bulk.selection import MOST, Selection
from messaging.bulk.verdict import Verdict, verdict
from messaging.figures.forecast import Forecast
from messaging.figures.shown import sentences
from messaging.models import BulkResend, Role
from messaging.patience import OPENING, TooLongError, at_most
from messaging.resend import still_to_come
from messaging.resend_forms import When
from messaging.sending import Refused
from messaging.views.bulk_words import selection_of, verdict_rows
from resend_admin.ui.dialogs import (
    close_dialog,
    may_wait,
    render_dialog,
    render_waiting,
)
from resend_admin.ui.forms import DateTimeLocalField
from resend_admin.ui.time_zones import moment_in_words

NOTHING_CHOSEN: Final = "Tick at least one message in the list first."
NONE_CAN: Final = "None of these messages can be sent again now; the table says why."
TICK: Final = "Tick this if a second copy does no harm; there is nothing else to send."
LOOKING: Final = (
    "Looking at each of these messages, to say what would become of it. That takes a"
    " few seconds for very many."
)
MOMENT: Final = "%Y-%m-%dT%H:%M:%S.%f%z"


class BulkForm(forms.Form):
    """When, why, and whether to risk that somebody gets a message twice."""

    accepts_duplicate = forms.BooleanField(required=False)
    when = forms.ChoiceField(
        choices=When.choices, widget=forms.RadioSelect, initial=When.NOW
    )
    at = DateTimeLocalField(label="Start at", required=False)
    reason = forms.CharField(
        label="Reason (optional)",
        required=False,
        max_length=300,
        help_text="Kept with every attempt, for whoever looks at it later.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        soon = timezone.now() + timedelta(hours=1)
        minutes = timedelta(minutes=-soon.minute % 15)
        self.initial.setdefault("at", soon.replace(second=0, microsecond=0) + minutes)
        self.fields["at"].required = self.data.get("when") == When.LATER

    def say_the_risk(self, risky: int) -> None:
        """Name the number of unknown ones; without any there is nothing to ask."""
        if not risky:
            self.fields.pop("accepts_duplicate", None)
            return
        field = self.fields["accepts_duplicate"]
        those = "the unknown one" if risky == 1 else f"the {risky:,} unknown ones"
        field.label = f"Also {those}"
        field.help_text = (
            "It may have arrived, so the member may get it twice."
            if risky == 1
            else "They may have arrived, so these members may get it twice."
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("when") != When.LATER:
            # What stands in a field that is not asked about says nothing.
            self.errors.pop("at", None)
            cleaned["at"] = None
        at = cleaned.get("at")
        now = timezone.now()
        if at is not None and at <= now:
            self.add_error("at", still_to_come(now))
        return cleaned


class Confirmed(forms.Form):
    """What the dialog said when it was confirmed; hidden, never typed."""

    shown_at = forms.DateTimeField(input_formats=[MOMENT])
    shown_count = forms.IntegerField(min_value=0, max_value=MOST)
    shown_queued = forms.IntegerField(min_value=0, max_value=MOST)


@require_http_methods(["GET", "POST"])
@role_required(Role.EDITOR)
def bulk_create(request: HttpRequest) -> HttpResponse:
    """Show the verdict on what the address chooses; freeze it when confirmed."""
    selection = selection_of(request)
    if selection is None:
        return _nothing_chosen(request)
    dialog = BulkDialog(request, selection)
    return dialog.confirmed() if request.method == "POST" else dialog.asked()


def page_of(bulk: BulkResend) -> str:
    return reverse("messaging:bulk-detail", kwargs={"pk": bulk.pk})


def _list_address(request: HttpRequest) -> str:
    """Return the list as it was narrowed when the messages were chosen."""
    query = request.GET.copy()
    for name in ("ids", "all"):
        query.pop(name, None)
    address = reverse("messaging:message-list")
    return f"{address}?{query.urlencode()}" if query else address


def _nothing_chosen(request: HttpRequest) -> HttpResponse:
    context = {
        "cancel_url": _list_address(request),
        "page_title": "Resend selected messages",
        "dialog_off": NOTHING_CHOSEN,
    }
    status = HTTPStatus.OK
    if request.method == "POST":
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    return render_dialog(request, "messaging/bulk_create.html", context, status=status)


@dataclass(frozen=True)
class BulkDialog:
    """The steps of the dialog; one about a single cause overrides some of them."""

    request: HttpRequest
    selection: Selection

    template: ClassVar[str] = "messaging/bulk_create.html"
    title: ClassVar[str] = "Resend selected messages"

    def asked(self) -> HttpResponse:
        """Show the verdict; where that takes its time, open first and show it then."""
        if not may_wait(self.request):
            return self._shown(self._verdict())
        try:
            with at_most(OPENING):
                found = self._verdict()
        except TooLongError:
            return render_waiting(self.request, self.title, LOOKING)
        return self._shown(found)

    def _shown(self, found: Verdict) -> HttpResponse:
        form = self._form()
        form.say_the_risk(found.risky)
        return self._page(found, form)

    def confirmed(self) -> HttpResponse:
        seen = Confirmed(self.request.POST)
        form = self._form(self.request.POST)
        is_typed_well = form.is_valid()
        at = form.cleaned_data.get("at") if is_typed_well else None
        if seen.is_valid() and (twin := self._submitted_before(seen)):
            return self._done(twin)
        found = self._verdict(at, form if is_typed_well else None)
        form.say_the_risk(found.risky)
        if not seen.is_valid():
            return self._again(found, form, "Look at the numbers and confirm.")
        if not is_typed_well:
            return self._page(found, form)
        if at is not None and found.queued < seen.cleaned_data["shown_queued"]:
            return self._fewer_by_then(found, form, at)
        takes_risk = form.cleaned_data.get("accepts_duplicate")
        if self._why_off(found) or not (found.queued or takes_risk or self.is_record):
            if found.risky:
                form.add_error("accepts_duplicate", TICK)
            return self._page(found, form, HTTPStatus.CONFLICT)
        return self._freeze(found, form, seen.cleaned_data)

    def _fewer_by_then(
        self, found: Verdict, form: BulkForm, at: datetime
    ) -> HttpResponse:
        """Say what is left at the time that was chosen; where nothing is, ask anew."""
        when, left = moment_in_words(at), found.queued
        if left:
            messages = "1 message" if left == 1 else f"{left:,} messages"
            sentence = f"On {when} only {messages} can be sent again."
            return self._again(found, form, f"{sentence} Look again and confirm.")
        sentence = f"On {when} none of them can be sent again. Choose an earlier time"
        if found.latest:
            sentence += f", {moment_in_words(found.latest)} at the latest"
        form.add_error("at", f"{sentence}.")
        now = self._verdict(None, form)
        return self._page(now, form, HTTPStatus.CONFLICT)

    def _freeze(
        self, found: Verdict, form: BulkForm, seen: dict[str, Any]
    ) -> HttpResponse:
        answers = form.cleaned_data
        outcome = freezing.freeze(
            self.selection,
            organization_of(self.request),
            Order(
                person=person_of(self.request),
                shown_at=seen["shown_at"],
                shown_count=seen["shown_count"],
                reason=answers["reason"],
                accepts_duplicate=bool(answers.get("accepts_duplicate")),
                at=answers["at"],
                remedy=self._remedy(form),
                told=self._told(
                    found,
                    answers["at"],
                    accepts_duplicate=bool(answers.get("accepts_duplicate")),
                ),
            ),
        )
        if isinstance(outcome, Refused):
            return self._again(found, form, outcome.sentence)
        return self._done(outcome)

    def _submitted_before(self, seen: Confirmed) -> BulkResend | None:
        """Return the bulk resend that this very dialog made, when it was sent twice."""
        return BulkResend.objects.filter(
            organization=organization_of(self.request),
            created_by=person_of(self.request),
            created_at__gte=seen.cleaned_data["shown_at"],
            chosen=self.selection.words[:500],
            total__gte=seen.cleaned_data["shown_count"],
        ).first()

    @property
    def is_record(self) -> bool:
        """Whether it may be confirmed although nothing can be queued."""
        return False

    def _form(self, data: QueryDict | None = None) -> BulkForm:
        return BulkForm(data)

    def _remedy(self, form: BulkForm | None) -> Remedy | None:
        """Return what was done about the cause, by a form that is valid or nothing."""
        return None

    def _verdict(
        self, at: datetime | None = None, form: BulkForm | None = None
    ) -> Verdict:
        organization = organization_of(self.request)
        return verdict(self.selection, organization, at, self._remedy(form))

    def _told(
        self,
        found: Verdict,
        at: datetime | None = None,
        *,
        accepts_duplicate: bool = False,
    ) -> Forecast:
        return expectation.of_verdict(
            organization_of(self.request),
            found,
            at,
            accepts_duplicate=accepts_duplicate,
        )

    def _done(self, bulk: BulkResend) -> HttpResponse:
        text = "The messages are being queued in the background."
        if bulk.scheduled_for is not None:
            text = f"The bulk resend starts on {moment_in_words(bulk.scheduled_for)}."
        return close_dialog(self.request, page_of(bulk), text)

    def _again(self, found: Verdict, form: BulkForm, sentence: str) -> HttpResponse:
        form.add_error(None, sentence)
        return self._page(found, form, HTTPStatus.CONFLICT)

    def _page(
        self, found: Verdict, form: BulkForm, status: int | None = None
    ) -> HttpResponse:
        told = self._told(found)
        context = {
            "form": form,
            "verdict": found,
            "rows": verdict_rows(found, told),
            "expected": sentences(told),
            "words": self.selection.words,
            "most": MOST,
            "shown_at": f"{found.shown_at:{MOMENT}}",
            "shown_count": str(found.candidates),
            "shown_queued": str(found.queued),
            "cancel_url": self._back_url(),
            "page_title": self.title,
            "dialog_off": self._why_off(found),
            **self._details(found),
        }
        return render_dialog(self.request, self.template, context, status=status)

    def _why_off(self, found: Verdict) -> str:
        if not found.total:
            return "No message matches any more. Go back to the list and choose again."
        return "" if found.queued or found.risky else NONE_CAN

    def _back_url(self) -> str:
        return _list_address(self.request)

    def _details(self, found: Verdict) -> dict[str, Any]:
        """Return what the template of a subclass needs besides."""
        return {}
