"""Sessions, second factors and slowed-down log-ins; and the audit trail."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from messaging.admin.tenancy import ReadOnlyAdmin, is_operator, managed_id
from messaging.models import (
    AuditEntry,
    AuditKind,
    RecoveryCode,
    SecondFactor,
    Session,
    SignInPace,
)
from messaging.sessions import device_in_words


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    """To delete a session is to end it. The key that opens it is shown to nobody."""

    audit_kind = AuditKind.SECURITY
    organization_path = "person__organization"
    list_display = ("id", "person", "browser", "address", "opened_at", "seen_at")
    list_select_related = ("person",)
    fields = ("person", "browser", "address", "opened_at", "seen_at", "expire_date")
    readonly_fields = ("browser",)
    sortable_by = ()
    ordering = ("-id",)

    @admin.display(description="device")
    def browser(self, session: Session) -> str:
        return device_in_words(session.device)

    def has_delete_permission(
        self, request: HttpRequest, obj: Any | None = None
    ) -> bool:
        return is_operator(request) or managed_id(request) is not None


@admin.register(SecondFactor)
class SecondFactorAdmin(ReadOnlyAdmin):
    organization_path = "person__organization"
    list_display = ("person", "confirmed_at")
    list_select_related = ("person",)
    fields = ("person", "created_at", "confirmed_at")
    sortable_by = ()
    ordering = ("person",)


@admin.register(RecoveryCode)
class RecoveryCodeAdmin(ReadOnlyAdmin):
    organization_path = "person__organization"
    list_display = ("id", "person", "used_at")
    list_select_related = ("person",)
    fields = ("person", "used_at")
    sortable_by = ()
    ordering = ("-id",)


@admin.register(SignInPace)
class SignInPaceAdmin(ReadOnlyAdmin):
    """Hashes of accounts and addresses: nothing that belongs to an organization."""

    organization_path = ""
    list_display = ("key", "paid_until")
    sortable_by = ()
    ordering = ("key",)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("at", "kind", "actor_name", "sentence", "reason", "organization")
    list_filter = ("kind",)
    list_select_related = ("organization",)
    sortable_by = ()
    ordering = ("-id",)
