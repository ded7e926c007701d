"""Webhooks, to look at: they are managed on the pages of their organization."""

from __future__ import annotations

from django.contrib import admin

from messaging.admin.tenancy import ReadOnlyAdmin
from messaging.models import (
    WebhookCourier,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
    WebhookHealth,
    WebhookRecovery,
    WebhookSecret,
)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ReadOnlyAdmin):
    list_display = ("name", "organization", "url", "state", "off_reason", "removed_at")
    list_filter = ("state", "off_reason")
    list_select_related = ("organization",)
    search_fields = ("name__istartswith",)
    sortable_by = ()
    ordering = ("organization", "name")


@admin.register(WebhookSecret)
class WebhookSecretAdmin(ReadOnlyAdmin):
    """When it came and when it goes; what it is stays sealed."""

    organization_path = "endpoint__organization"
    list_display = ("endpoint", "created_at", "expires_at")
    list_select_related = ("endpoint",)
    fields = ("endpoint", "created_at", "expires_at")
    sortable_by = ()
    ordering = ("-id",)


@admin.register(WebhookHealth)
class WebhookHealthAdmin(ReadOnlyAdmin):
    organization_path = "endpoint__organization"
    list_display = (
        "endpoint",
        "delivered_at",
        "failing_since",
        "last_status",
        "last_error",
        "paused_until",
    )
    list_select_related = ("endpoint",)
    sortable_by = ()
    ordering = ("endpoint",)


@admin.register(WebhookEvent)
class WebhookEventAdmin(ReadOnlyAdmin):
    list_display = ("public_id", "type", "organization_id", "created_at")
    sortable_by = ()
    ordering = ("-id",)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    organization_path = "endpoint__organization"
    list_display = (
        "id",
        "endpoint",
        "type",
        "state",
        "try_count",
        "http_status",
        "error",
        "created_at",
    )
    list_filter = ("state",)
    list_select_related = ("endpoint",)
    sortable_by = ()
    ordering = ("-id",)


@admin.register(WebhookRecovery)
class WebhookRecoveryAdmin(ReadOnlyAdmin):
    organization_path = "endpoint__organization"
    list_display = ("id", "endpoint", "since", "frozen_at", "count", "finished_at")
    list_select_related = ("endpoint",)
    sortable_by = ()
    ordering = ("-id",)


@admin.register(WebhookCourier)
class WebhookCourierAdmin(ReadOnlyAdmin):
    """Of no organization: it carries for all of them."""

    organization_path = ""
    list_display = ("seat", "holder", "lease_until")
    sortable_by = ()
    ordering = ("seat",)
