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
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
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
from messaging.media import LARGEST, MediaError, check, with_link
from messaging.models import BulkResend, Content, Message, Organization, Role
from messaging.offers import MOST_TEMPLATES
from messaging.standing import WINDOW_CLOSED
from messaging.views.bulk_dialog import BulkDialog, BulkForm, page_of
from resend_admin.ui.dialogs import close_dialog, render_dialog
from resend_admin.ui.time_zones import moment_in_words

LONGEST_CODE: Final = 80
NO_CAUSE: Final = "Choose a cause from the list first."
NONE_LEFT: Final = "No failed message of this cause is left to see to."
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

    ``templates`` may go out instead, where that is what the cause asks for; ``media``
    is what all of them carry, where its link is what has to be mended.
    """

    fixed = forms.BooleanField(
        label="I have fixed it",
        error_messages={
            "required": "Fix it first, then tick this. They would fail again otherwise."
        },
    )
    link = forms.CharField(
        label="Link to the file",
        max_length=2_000,
        widget=forms.URLInput(attrs={"autocomplete": "off"}),
        help_text="We look at it before anything is sent. The original messages stay"
        " as they are; leave the link if the file behind it works again.",
        error_messages={"required": "Enter the link to the file."},
    )
    template = forms.ChoiceField(
        label="Template that goes out instead",
        error_messages={
            "required": "Choose a template.",
            "invalid_choice": "Choose one of these templates.",
        },
    )

    field_order = ("accepts_duplicate", "template", "link", "fixed")

    def __init__(
        self,
        *args: Any,
        entry: CatalogueEntry,
        templates: Sequence[Content],
        media: Content | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.shared_media = media
        self.templates = {str(one.pk): one for one in templates}
        self.fields["fixed"].help_text = entry.advice
        self.fields["reason"].label = "Note (optional)"
        self.fields[
            "reason"
        ].help_text = (
            "What was done about it. Kept with every attempt, for whoever looks later."
        )
        is_answered = entry.code == WINDOW_CLOSED or media is not None
        if is_answered or entry.error_class != ErrorClass.FIX_FIRST:
            del self.fields["fixed"]
        if media is None:
            del self.fields["link"]
        else:
            self.initial["link"] = media.payload.get("url", "")
        self._ask_for_template(entry)

    @property
    def replacement(self) -> Content | None:
        """What goes out instead: a template, or the media with its new link."""
        link, media = self.cleaned_data.get("link", ""), self.shared_media
        if media is not None and link and link != media.payload.get("url"):
            return with_link(media, link)
        return self.templates.get(self.cleaned_data.get("template", ""))

    def clean_link(self) -> str:
        link: str = self.cleaned_data["link"]
        assert self.shared_media is not None
        try:
            check(link, ContentKind(self.shared_media.kind))
        except MediaError as error:
            raise forms.ValidationError(str(error)) from error
        return link

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
    media: Content | None = None

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
        media = _shared_media(rows) if entry.fix is Fix.MEDIA else None
        return cls(request, selection, entry, templates, media)

    @property
    def is_fix(self) -> bool:
        return self.entry.error_class == ErrorClass.FIX_FIRST

    @property
    def is_record(self) -> bool:
        """That it was fixed is worth a record when all of them are too old, too."""
        return self.is_fix

    def _form(self, data: QueryDict | None = None) -> CauseForm:
        return CauseForm(
            data, entry=self.entry, templates=self.templates, media=self.media
        )

    def _remedy(self, form: BulkForm | None) -> Remedy:
        chosen = form.replacement if isinstance(form, CauseForm) else None
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


def _nobody() -> QuerySet[Message]:
    return Message.objects.none()


def _shared_media(rows: QuerySet[Message]) -> Content | None:
    """Return the media that all of them carry; nothing where they differ."""
    sent = rows.annotate(sent=Coalesce("amended_content_id", "content_id"))
    ids = list(sent.order_by().values_list("sent", flat=True).distinct()[:2])
    if len(ids) != 1:
        return None
    content = Content.objects.filter(pk=ids[0]).first()
    return content if content is not None and content.kind in LARGEST else None


def _templates(organization: Organization) -> list[Content]:
    listed = Content.objects.filter(
        organization=organization, kind=ContentKind.TEMPLATE, archived_at=None
    )
    return list(listed.order_by("-pk")[:MOST_TEMPLATES])
