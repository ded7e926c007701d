"""What came in at devices, and who asked for it again: to look at."""

from __future__ import annotations

from django.contrib import admin

from messaging.admin.tenancy import ReadOnlyAdmin
from messaging.models import (
    AudioJob,
    DeviceHealth,
    InboundMessage,
    RetransmissionRequest,
)


@admin.register(InboundMessage)
class InboundMessageAdmin(ReadOnlyAdmin):
    list_display = (
        "message_id",
        "organization",
        "integration",
        "state",
        "phone",
        "occurred_at",
        "requests",
    )
    list_filter = ("state",)
    list_select_related = ("organization", "integration")
    search_fields = ("message_id__exact", "phone__exact")
    search_help_text = "Its whole id, or the whole number of the member."
    sortable_by = ()
    ordering = ("-id",)


@admin.register(RetransmissionRequest)
class RetransmissionRequestAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "organization",
        "integration",
        "asked_by_name",
        "outcome",
        "created_at",
    )
    list_filter = ("outcome",)
    list_select_related = ("organization", "integration")
    sortable_by = ()
    ordering = ("-id",)


@admin.register(DeviceHealth)
class DeviceHealthAdmin(ReadOnlyAdmin):
    organization_path = "integration__organization"
    list_display = ("integration", "state", "since", "checked_at", "phone")
    list_select_related = ("integration",)
    sortable_by = ()
    ordering = ("integration",)


@admin.register(AudioJob)
class AudioJobAdmin(ReadOnlyAdmin):
    exclude = ("source", "ogg")
    list_display = (
        "uid",
        "organization",
        "integration",
        "state",
        "error",
        "created_at",
    )
    list_filter = ("state",)
    list_select_related = ("organization", "integration")
    sortable_by = ()
    ordering = ("-id",)
