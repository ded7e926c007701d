"""Content: added and archived, never changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from messaging.admin.content_shape import shape_problems
from messaging.admin.hidden_codes import without_codes
from messaging.admin.tenancy import TenantAdmin, TenantForm
from messaging.channels import PROVIDERS
from messaging.channels.contract import ContentKind
from messaging.models import Content
from messaging.models.content import kind_choices
from messaging.sent_codes import codes_in_content

PAYLOAD_HELP = (
    'Text: {"text": "Hello {{name}}"}. '
    'Image, video, audio, document: {"url": "https://…", "caption": "…"}. '
    'Buttons: {"body": "…", "buttons": [{"id": "yes", "title": "Yes"}]}. '
    'Template: {"name": "…", "language": "en", "category": "utility",'
    ' "body": "Hello {{1}}", "parameters": ["{{name}}"]}. '
    "Placeholders: {{name}}, {{first_name}}, {{external_id}}."
)


class ContentForm(TenantForm):
    """The payload must have its kind's shape, and some channel must carry it."""

    archived = forms.BooleanField(
        required=False,
        help_text="Takes it off the lists to choose from; what was sent stays.",
    )

    class Meta:
        model = Content
        exclude: tuple[str, ...] = ("archived_at",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "archived" in self.fields:
            self.fields["archived"].initial = self.instance.archived_at is not None
        if "payload" in self.fields:
            self.fields["payload"].help_text = PAYLOAD_HELP
            self.fields["payload"].initial = {"text": ""}
        if "kind" in self.fields:
            # A flow's content is made by publishing the flow.
            self.fields["kind"].choices = [  # type: ignore[attr-defined]
                choice for choice in kind_choices() if choice[0] != ContentKind.FLOW
            ]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        kind, payload = cleaned.get("kind"), cleaned.get("payload")
        if kind and payload is not None:
            for problem in payload_problems(kind, payload):
                self.add_error("payload", problem)
        return cleaned


def payload_problems(kind: str, payload: Any) -> list[str]:
    """Return why no channel at all can carry this; nothing if one can."""
    wrong_shape = shape_problems(kind, payload)
    if wrong_shape:
        return wrong_shape
    refusals = [
        provider.refusals(kind, payload)
        for provider in PROVIDERS.values()
        if kind in provider.content_kinds
    ]
    if not refusals:
        return ["No channel carries this kind of content."]
    return min(refusals, key=len)


@admin.register(Content)
class ContentAdmin(TenantAdmin):
    form = ContentForm
    audit_hidden = frozenset({"payload"})
    managers_may_add = True
    managers_may_change = True
    list_display = ("__str__", "kind", "organization", "created_at", "is_archived")
    list_filter = ("kind",)
    list_select_related = ("organization",)
    sortable_by = ()
    ordering = ("-id",)
    search_fields = ("name__istartswith",)
    search_help_text = "The beginning of its name."
    autocomplete_fields = ("organization",)
    actions = ("archive", "put_back")

    @admin.display(boolean=True, description="archived")
    def is_archived(self, content: Content) -> bool:
        return content.archived_at is not None

    def get_fields(self, request: HttpRequest, obj: Any | None = None) -> list[Any]:
        own = ["organization", "kind", "name"]
        if obj is None:
            return [*own, "payload"]
        return [*own, "shown_payload", "created_at", "archived"]

    @admin.display(description="payload")
    def shown_payload(self, content: Content) -> SafeString | str:
        return without_codes(content.payload, codes_in_content(content))

    def get_readonly_fields(
        self, request: HttpRequest, obj: Any | None = None
    ) -> list[str]:
        if obj is None:
            return []
        return ["organization", "kind", "name", "shown_payload", "created_at"]

    def save_model(
        self, request: HttpRequest, obj: Content, form: Any, change: bool
    ) -> None:
        """Write the one column that may change."""
        if not change:
            super().save_model(request, obj, form, change)
            return
        if bool(form.cleaned_data.get("archived")) != (obj.archived_at is not None):
            is_archived = form.cleaned_data["archived"]
            obj.archived_at = timezone.now() if is_archived else None
            obj.save(update_fields=["archived_at"])

    @admin.action(description="Archive", permissions=["change"])
    def archive(self, request: HttpRequest, queryset: QuerySet[Content]) -> None:
        number = self._move(
            request, queryset.filter(archived_at=None), "Archived", timezone.now()
        )
        self.message_user(request, f"Archived: {number}.", messages.SUCCESS)

    @admin.action(description="Put back on the lists", permissions=["change"])
    def put_back(self, request: HttpRequest, queryset: QuerySet[Content]) -> None:
        number = self._move(
            request, queryset.exclude(archived_at=None), "Put back", None
        )
        self.message_user(request, f"Put back: {number}.", messages.SUCCESS)

    @transaction.atomic
    def _move(
        self,
        request: HttpRequest,
        queryset: QuerySet[Content],
        verb: str,
        archived_at: datetime | None,
    ) -> int:
        """Archive rows or put them back, on record; return how many."""
        rows = list(queryset.order_by("pk").select_for_update(no_key=True))
        chosen = Content.objects.filter(pk__in=[one.pk for one in rows])
        self.record_many(request, rows, verb)
        return chosen.update(archived_at=archived_at)
