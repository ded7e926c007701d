"""Django admin of broadcasts: to look at, and the deeds that have a service."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from broadcasts import flows, retry, retrying
from broadcasts.clock import in_words
from broadcasts.models import Broadcast, Flow, FlowStep, FrozenMembers, Route
from broadcasts.problems import Problem, ProblemCode
from messaging.access import person_of
from messaging.admin.tenancy import (
    ReadOnlyAdmin,
    TenantAdmin,
    TenantForm,
    TenantInline,
    is_operator,
    managed_id,
)
from messaging.channels.contract import ContentKind
from messaging.models import AuditKind, Content
from resend_admin.ui.time_zones import zone_name

if TYPE_CHECKING:
    StepFormSet = BaseInlineFormSet[FlowStep, Flow, forms.ModelForm[FlowStep]]
else:
    StepFormSet = BaseInlineFormSet


class RouteInline(TenantInline):
    """The way out, in order. Changed on the broadcast's own page."""

    model = Route
    is_editable = False
    fields = ("role", "position", "integration", "content")
    ordering = ("-role", "position")


@admin.register(Broadcast)
class BroadcastAdmin(TenantAdmin):
    """Looks, and retries. Everything else happens on the broadcast's own page."""

    audit_kind = AuditKind.BROADCAST
    operators_may_write = False
    list_display = ("name", "state", "kind", "organization", "run_at", "retry_of")
    list_filter = ("state", "kind")
    list_select_related = ("organization", "retry_of")
    sortable_by = ()
    ordering = ("-id",)
    search_fields = ("name__istartswith",)
    search_help_text = "The beginning of its name."
    date_hierarchy = None
    inlines = (RouteInline,)
    actions = ("retry_failed",)
    fields = (
        "name",
        "own_page",
        "organization",
        "state",
        "state_reason",
        "kind",
        "flow",
        "content",
        "audience",
        "retry_of",
        "run_at",
        "time_zone",
        "expires_at",
        "created_at",
        "created_by",
        "started_at",
        "finished_at",
    )
    readonly_fields = ("own_page",)

    @admin.display(description="page")
    def own_page(self, broadcast: Broadcast) -> SafeString:
        """Lead to where its figures and its buttons are."""
        url = reverse("broadcasts:broadcast-detail", args=[broadcast.pk])
        return format_html('<a href="{}">Figures, causes and buttons</a>', url)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return is_operator(request) or managed_id(request) is not None

    @admin.action(description="Retry failed", permissions=["retry"])
    def retry_failed(self, request: HttpRequest, queryset: QuerySet[Broadcast]) -> None:
        """Schedule a retry of each, two minutes from now, and say what happened."""
        chosen = queryset.select_related("organization", "root", "retry_of")
        for broadcast in chosen.order_by("pk").iterator(chunk_size=100):
            try:
                sentence = _retried(request, broadcast)
            except Problem as problem:
                text = f"“{broadcast.name}”: {problem.sentence}"
                self.message_user(request, text, messages.ERROR)
                if problem.code == ProblemCode.QUOTA_EXCEEDED:
                    return
            else:
                self.message_user(request, sentence, messages.SUCCESS)


def _retried(request: HttpRequest, broadcast: Broadcast) -> str:
    """Retry one broadcast; return the sentence. Raise ``Problem`` if refused."""
    offer = retry.offer(broadcast)
    if not offer.state.enabled:
        raise Problem(ProblemCode.CONFLICT, offer.state.reason)
    made = retrying.create(
        broadcast=broadcast,
        person=person_of(request),
        run_at=offer.run_at,
        time_zone=zone_name(),
        shown_count=offer.count,
        shown_at=offer.shown_at,
    )
    when = in_words(made.run_at or offer.run_at, made.time_zone)
    members = "1 member" if offer.count == 1 else f"{offer.count:,} members"
    return f"“{broadcast.name}”: {members} will be tried again on {when}."


class StepForm(TenantForm):
    """Positions may change places: all steps are written anew, in their order."""

    def validate_unique(self) -> None:
        """Leave the positions to the order."""

    def validate_constraints(self) -> None:
        """Leave the positions to the order."""


class StepsOfOneOrganization(StepFormSet):
    """Steps come from the flow's own organization, and are no flows themselves."""

    def validate_unique(self) -> None:
        """Two steps at one position keep the order in which they stand."""

    @property
    def contents(self) -> list[Content]:
        """What the steps hold, in their order; without those that are taken away."""
        steps = (
            form.cleaned_data
            for form in self.forms
            if form.cleaned_data.get("content") and not form.cleaned_data.get("DELETE")
        )
        ordered = sorted(steps, key=lambda step: step.get("position") or 0)
        return [step["content"] for step in ordered]

    def clean(self) -> None:
        super().clean()
        for form in self.forms:
            content = form.cleaned_data.get("content")
            if content is None or form.cleaned_data.get("DELETE"):
                continue
            if content.organization_id != self.instance.organization_id:
                raise ValidationError("This content belongs to another organization.")
            if content.kind == ContentKind.FLOW:
                raise ValidationError("A flow cannot be a step of a flow.")


class StepInline(TenantInline):
    model = FlowStep
    form = StepForm
    formset = StepsOfOneOrganization
    fields = ("position", "content")
    autocomplete_fields = ("content",)
    ordering = ("position",)


@admin.register(Flow)
class FlowAdmin(TenantAdmin):
    """Steps are edited here; what is sent changes only by publishing."""

    audit_kind = AuditKind.BROADCAST
    managers_may_add = True
    managers_may_change = True
    list_display = ("name", "is_published", "organization", "created_at")
    list_filter = ("is_published",)
    list_select_related = ("organization",)
    sortable_by = ()
    ordering = ("-id",)
    search_fields = ("name__istartswith",)
    search_help_text = "The beginning of its name."
    autocomplete_fields = ("organization",)
    fields = ("organization", "name", "is_published", "published_content", "created_at")
    readonly_fields = ("is_published", "published_content", "created_at")
    inlines = (StepInline,)
    actions = ("publish", "unpublish")

    def save_formset(
        self, request: HttpRequest, form: Any, formset: Any, change: bool
    ) -> None:
        """Write the steps through the service."""
        flows.save_steps(
            flow=form.instance, person=person_of(request), contents=formset.contents
        )
        formset.new_objects = formset.changed_objects = formset.deleted_objects = []

    @admin.action(description="Publish", permissions=["change"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Flow]) -> None:
        self._each(request, queryset, flows.publish, "is published.")

    @admin.action(description="Unpublish", permissions=["change"])
    def unpublish(self, request: HttpRequest, queryset: QuerySet[Flow]) -> None:
        self._each(request, queryset, flows.unpublish, "is not sent any more.")

    def _each(
        self,
        request: HttpRequest,
        queryset: QuerySet[Flow],
        deed: Callable[..., Any],
        done: str,
    ) -> None:
        for flow in queryset.order_by("pk"):
            try:
                deed(flow=flow, person=person_of(request))
            except Problem as problem:
                text = f"“{flow.name}”: {problem.sentence}"
                self.message_user(request, text, messages.ERROR)
            else:
                self.message_user(request, f"“{flow.name}” {done}", messages.SUCCESS)


@admin.register(FrozenMembers)
class FrozenMembersAdmin(ReadOnlyAdmin):
    """Members of a large retry that have no row yet, for the minute that it takes."""

    organization_path = "broadcast__organization"
    list_display = ("broadcast", "size")
    list_select_related = ("broadcast",)
    ordering = ("-id",)
    fields = ("broadcast", "size")
