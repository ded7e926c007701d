"""“Mark as fixed and resend”: all that failed of one cause, frozen as one set.

The dialog of a bulk resend, about a cause: what had to be fixed is confirmed or given
here, and the bulk resend is the record of who said so, when, and why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar, Final

from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from messaging.access import organization_of, role_required
from messaging.bulk.judging import Remedy
from messaging.bulk.selection import Selection
from messaging.bulk.verdict import Verdict
from messaging.channels.catalogue import CatalogueEntry, ErrorClass, Fix, lookup
from messaging.channels.contract import ContentKind
from messaging.failures.kept import failed_of, spellings_of
from messaging.models import BulkResend, Content, Message, Organization, Role
from messaging.offers import MOST_TEMPLATES, WINDOW_CLOSED
from messaging.views.bulk_dialog import BulkDialog, BulkForm, page_of
from resend_admin.ui.dialogs import close_dialog, render_dialog
from resend_admin.ui.time_zones import moment_in_words

LONGEST_CODE: Final = 80
NO_CAUSE: Final = "Choose a cause from the list first."
NONE_LEFT: Final = "No message that failed of this cause is kept any more."
NO_TEMPLATE: Final = (
    "There is no template yet that could go out instead. Ask an admin to add one."
)


def page_of_cause(cause: str) -> str:
    return f"{reverse('causes')}?{urlencode({'cause': cause})}"


def dialog_of_cause(cause: str) -> str:
    return f"{reverse('messaging:cause-resend')}?{urlencode({'cause': cause})}"


@require_http_methods(["GET", "POST"])
@role_required(Role.EDITOR)
def cause_resend(request: HttpRequest) -> HttpResponse:
    """Show the verdict on all that failed of a cause; freeze it when confirmed."""
    cause = request.GET.get("cause", "").replace("\x00", "")[:LONGEST_CODE]
    if not cause:
        return _no_cause(request)
    dialog = CauseDialog.about(request, cause)
    return dialog.confirmed() if request.method == "POST" else dialog.asked()


def _no_cause(request: HttpRequest) -> HttpResponse:
    context = {
        "cancel_url": reverse("causes"),
        "page_title": CauseDialog.title,
        "dialog_off": NO_CAUSE,
    }
    is_sent = request.method == "POST"
    status = HTTPStatus.UNPROCESSABLE_ENTITY if is_sent else HTTPStatus.OK
    return render_dialog(request, "messaging/bulk_create.html", context, status=status)


class CauseForm(BulkForm):
    """A bulk resend of one cause, and what was done about it.

    ``templates`` may go out instead, where that is what the cause asks for.
    """

    fixed = forms.BooleanField(
        label="I have fixed it",
        error_messages={
            "required": "Fix it first, then tick this. They would fail again otherwise."
        },
    )
    template = forms.ChoiceField(
        label="Template that goes out instead",
        error_messages={
            "required": "Choose a template.",
            "invalid_choice": "Choose one of these templates.",
        },
    )

    field_order = ("accepts_duplicate", "template", "fixed")

    def __init__(
        self,
        *args: Any,
        entry: CatalogueEntry,
        templates: Sequence[Content],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.templates = {str(one.pk): one for one in templates}
        self.fields["fixed"].help_text = entry.advice
        self.fields["reason"].label = "Note (optional)"
        self.fields[
            "reason"
        ].help_text = (
            "What was done about it. Kept with every attempt, for whoever looks later."
        )
        if entry.code == WINDOW_CLOSED or entry.error_class != ErrorClass.FIX_FIRST:
            del self.fields["fixed"]
        self._ask_for_template(entry)

    @property
    def chosen_template(self) -> Content | None:
        return self.templates.get(self.cleaned_data.get("template", ""))

    def _ask_for_template(self, entry: CatalogueEntry) -> None:
        if entry.fix is not Fix.TEMPLATE:
            del self.fields["template"]
            return
        field = self.fields["template"]
        assert isinstance(field, forms.ChoiceField)
        none = "Choose a template"
        if entry.code == WINDOW_CLOSED:
            field.help_text = (
                "Members who have written since get their own message, not this one."
            )
        else:
            field.required = False
            none = "The same as before: it is in order again"
        field.choices = [
            ("", none),
            *((key, _label(one)) for key, one in self.templates.items()),
        ]


def _label(template: Content) -> str:
    language = template.payload.get("language")
    return f"{template} ({language})" if language else str(template)


@dataclass(frozen=True)
class CauseDialog(BulkDialog):
    entry: CatalogueEntry
    templates: tuple[Content, ...] = ()

    template: ClassVar[str] = "messaging/cause_resend.html"
    title: ClassVar[str] = "Resend all of one cause"

    @classmethod
    def about(cls, request: HttpRequest, cause: str) -> CauseDialog:
        organization = organization_of(request)
        entry = lookup(cause)
        spellings = spellings_of(organization, entry.code)
        rows = failed_of(organization, spellings) if spellings else _nobody()
        words = f"All that failed of one cause: {entry.title}"
        selection = Selection(rows, words, is_filter=True)
        asks = entry.fix is Fix.TEMPLATE
        templates = tuple(_templates(organization)) if asks else ()
        return cls(request, selection, entry, templates)

    @property
    def is_fix(self) -> bool:
        return self.entry.error_class == ErrorClass.FIX_FIRST

    @property
    def is_record(self) -> bool:
        """That it was fixed is worth a record when all of them are too old, too."""
        return self.is_fix

    def _form(self, data: QueryDict | None = None) -> CauseForm:
        return CauseForm(data, entry=self.entry, templates=self.templates)

    def _remedy(self, form: BulkForm | None) -> Remedy:
        chosen = form.chosen_template if isinstance(form, CauseForm) else None
        return Remedy(self.entry.code, chosen)

    def _why_off(self, found: Verdict) -> str:
        if not found.total:
            return NONE_LEFT
        if self.entry.code == WINDOW_CLOSED and not self.templates:
            return NO_TEMPLATE
        if self.is_fix or found.queued:
            return ""
        return BulkDialog._why_off(self, found)

    def _back_url(self) -> str:
        return page_of_cause(self.entry.code)

    def _done(self, bulk: BulkResend) -> HttpResponse:
        said = "Marked as fixed. " if self.is_fix else ""
        text = f"{said}The messages are being queued in the background."
        if bulk.scheduled_for is not None:
            when = moment_in_words(bulk.scheduled_for)
            text = f"{said}The bulk resend starts on {when}."
        return close_dialog(self.request, page_of(bulk), text)

    def _details(self, found: Verdict) -> dict[str, Any]:
        return {
            "entry": self.entry,
            "is_fix": self.is_fix,
            "only_marks": self.is_fix and not found.queued,
            "page_title": self._title(),
            "verb": self._verb(found),
        }

    def _title(self) -> str:
        if self.entry.code == WINDOW_CLOSED:
            return "Send a template instead"
        return "Mark as fixed and resend" if self.is_fix else self.title

    def _verb(self, found: Verdict) -> str:
        if self.is_fix and not found.queued:
            return "Mark as fixed"
        return self._title() if self.is_fix else "Resend messages"


def _nobody() -> Any:
    return Message.objects.none()


def _templates(organization: Organization) -> list[Content]:
    listed = Content.objects.filter(
        organization=organization, kind=ContentKind.TEMPLATE, archived_at=None
    )
    return list(listed.order_by("-pk")[:MOST_TEMPLATES])
