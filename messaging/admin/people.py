"""Organizations and the people who sign in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.auth.models import Group
from django.http import HttpRequest

from messaging.admin.tenancy import TenantAdmin, is_operator
from messaging.models import Organization, Role, User

# Who is in which group is said by roles and accesses, not one by one.
admin.site.unregister(Group)

if TYPE_CHECKING:
    BaseUserAdmin = UserAdmin[User]
else:
    BaseUserAdmin = UserAdmin


@admin.register(Organization)
class OrganizationAdmin(TenantAdmin):
    """Managers see and change their own; only operators make new ones."""

    organization_path = "pk"
    managers_may_change = True
    list_display = ("name", "time_zone", "broadcast_quota", "retention_days")
    search_fields = ("name",)
    readonly_fields = ("created_at",)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Any | None = None
    ) -> tuple[str, ...]:
        """The quota is the operator's to give."""
        if is_operator(request):
            return ("created_at",)
        return ("broadcast_quota", "created_at")


@admin.register(User)
class PersonAdmin(TenantAdmin, BaseUserAdmin):
    """People of one's own organization, without the power to leave it.

    Whoever has the role admin may open this admin; nobody ticks a box for it.
    """

    form = UserChangeForm
    managers_may_add = True
    managers_may_change = True
    list_display = ("username", "get_full_name", "organization", "role", "is_active")
    list_filter = ("role", "is_active")
    list_select_related = ("organization",)
    search_fields = ("username__istartswith", "email__istartswith")
    ordering = ("username",)
    autocomplete_fields = ("organization",)
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email", "time_zone")}),
        ("Access", {"fields": ("organization", "role", "is_active")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": (
                    "username",
                    "usable_password",
                    "password1",
                    "password2",
                    "organization",
                    "role",
                ),
            },
        ),
    )

    def save_model(
        self, request: HttpRequest, obj: User, form: Any, change: bool
    ) -> None:
        if obj.organization_id is not None:
            obj.is_staff = obj.role == Role.ADMIN
            obj.is_superuser = False
        super().save_model(request, obj, form, change)
