"""Automatic retries: on or off per channel, what stopped or ended, and what waits."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from messaging.admin.tenancy import ReadOnlyAdmin, TenantAdmin
from messaging.models import (
    AuditKind,
    AutomaticRetry,
    EndedBroadcast,
    FollowUp,
    StoppedRetry,
)


@admin.register(AutomaticRetry)
class AutomaticRetryAdmin(TenantAdmin):
    audit_kind = AuditKind.SETTINGS
    managers_may_add = True
    managers_may_change = True
    actions = None
    list_display = ("channel", "organization", "is_on")
    list_filter = ("channel", "is_on")
    list_select_related = ("organization",)
    sortable_by = ()
    ordering = ("organization", "channel")
    autocomplete_fields = ("organization",)


@admin.register(StoppedRetry)
class StoppedRetryAdmin(TenantAdmin):
    """Stopped by the engine, resumed by a person."""

    audit_kind = AuditKind.SETTINGS
    managers_may_change = True
    list_display = (
        "error_code",
        "organization",
        "tried",
        "delivered",
        "stopped_at",
        "resumed_at",
    )
    list_select_related = ("organization",)
    sortable_by = ()
    ordering = ("-id",)
    readonly_fields = (
        "organization",
        "error_code",
        "tried",
        "delivered",
        "stopped_at",
        "resumed_at",
    )
    actions = ("resume",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.action(description="Resume automatic retries", permissions=["change"])
    @transaction.atomic
    def resume(self, request: HttpRequest, queryset: QuerySet[StoppedRetry]) -> None:
        stopped = queryset.filter(resumed_at__isnull=True).order_by("pk")
        rows = list(stopped.select_for_update(no_key=True, of=("self",)))
        chosen = StoppedRetry.objects.filter(pk__in=[one.pk for one in rows])
        done = chosen.update(resumed_at=timezone.now())
        for one in rows if len(rows) == 1 else ():
            self.log_change(request, one, "Resumed automatic retries.")
        if len(rows) > 1:
            self.record_many(request, rows, "Resumed")
        self.message_user(request, f"Resumed: {done}.", messages.SUCCESS)


@admin.register(EndedBroadcast)
class EndedBroadcastAdmin(ReadOnlyAdmin):
    list_display = ("broadcast_id", "organization", "ended_at")
    list_select_related = ("organization",)
    sortable_by = ()
    ordering = ("-broadcast_id",)


@admin.register(FollowUp)
class FollowUpAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "organization",
        "contact",
        "message_id",
        "state",
        "created_at",
    )
    list_filter = ("state",)
    list_select_related = ("organization", "contact")
    sortable_by = ()
    ordering = ("-id",)
