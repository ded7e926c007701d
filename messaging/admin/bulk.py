"""Bulk resends: what was decided, and what became of each message, to look at."""

from __future__ import annotations

from django.contrib import admin

from messaging.admin.tenancy import ReadOnlyAdmin
from messaging.models import (
    BulkResend,
    BulkResendItem,
    BulkResendOutcome,
    BulkResendRefusal,
)


@admin.register(BulkResend)
class BulkResendAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "organization",
        "chosen",
        "state",
        "total",
        "queued_count",
        "refused_count",
        "cancelled_count",
        "created_at",
    )
    list_filter = ("state",)
    list_select_related = ("organization",)
    search_fields = ("=id",)
    sortable_by = ()
    ordering = ("-id",)


@admin.register(BulkResendItem)
class BulkResendItemAdmin(ReadOnlyAdmin):
    """The message may be gone already, so lists name its number only."""

    organization_path = "bulk__organization"
    list_display = ("id", "bulk_id", "message_id", "state", "code", "cause")
    sortable_by = ()
    ordering = ("-id",)


@admin.register(BulkResendRefusal)
class BulkResendRefusalAdmin(ReadOnlyAdmin):
    organization_path = "bulk__organization"
    list_display = ("id", "bulk_id", "code", "cause", "count")
    sortable_by = ()
    ordering = ("-id",)


@admin.register(BulkResendOutcome)
class BulkResendOutcomeAdmin(ReadOnlyAdmin):
    organization_path = "bulk__organization"
    list_display = ("id", "bulk_id", "integration_id", "cause_code", "state", "count")
    sortable_by = ()
    ordering = ("-id",)
