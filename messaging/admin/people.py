"""Organizations and the people who sign in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from messaging import account, sessions
from messaging.admin.tenancy import ModelAdmin, TenantAdmin, is_operator
from messaging.models import AuditKind, Organization, Role, User

# Who is in which group is said by roles and accesses, not one by one.
admin.site.unregister(Group)

if TYPE_CHECKING:
    BaseUserAdmin = UserAdmin[User]
else:
    BaseUserAdmin = UserAdmin


@admin.register(Organization)
class OrganizationAdmin(TenantAdmin):
    """Managers see and change their own; only operators make new ones."""

    audit_kind = AuditKind.SETTINGS
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

    audit_kind = AuditKind.PERSON
    audit_hidden = frozenset({"email"})
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

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"<path:object_id>/{verb}/",
                self.admin_site.admin_view(view),
                name=f"messaging_user_{verb.replace('-', '_')}",
            )
            for verb, view in (
                ("reset-second-step", self.reset_second_step_view),
                ("end-sessions", self.end_sessions_view),
            )
        ]
        return own + list(super().get_urls())

    def reset_second_step_view(
        self, request: HttpRequest, object_id: str
    ) -> HttpResponse:
        """Let in somebody who has lost their phone and their recovery codes."""
        return self._asked(
            request,
            object_id,
            verb="Reset the second step",
            sentence="The next log-in asks for the password alone, so make sure that"
            " it is really this person who asks. Their sessions end.",
            do=account.reset_second_factor,
        )

    def end_sessions_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._asked(
            request,
            object_id,
            verb="End all sessions",
            sentence="This person is logged out everywhere, at once.",
            do=account.end_sessions,
        )

    def _asked(
        self,
        request: HttpRequest,
        object_id: str,
        *,
        verb: str,
        sentence: str,
        do: Callable[..., Any],
    ) -> HttpResponse:
        """Ask first; then do it, on record here and in the audit trail."""
        person: User = self.get_object(request, object_id)
        if not self.has_change_permission(request, person):
            raise PermissionDenied
        back = reverse("admin:messaging_user_change", args=[person.pk])
        if request.method != "POST":
            context = {
                **self.admin_site.each_context(request),
                "title": f"{verb}: {person}",
                "opts": self.opts,
                "verb": verb,
                "sentence": sentence,
                "back": back,
            }
            return TemplateResponse(request, "admin/messaging/user/ask.html", context)
        with transaction.atomic():
            do(person, by=request.user)
            # Past the hook of TenantAdmin: the service has written its own line.
            ModelAdmin.log_change(self, request, person, f"{verb}.")
        self.message_user(request, f"{verb}: done for {person}.", messages.SUCCESS)
        return HttpResponseRedirect(back)

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """Set a password; what the old one had opened ends with it."""
        person: User = self.get_object(request, id)
        before = person.password
        with transaction.atomic():
            response = super().user_change_password(request, id, form_url)
            person.refresh_from_db(fields=["password"])
            if person.password != before:
                own = request.session if person == request.user else None
                sessions.end_all(person, but=own)
        return response

    def save_model(
        self, request: HttpRequest, obj: User, form: Any, change: bool
    ) -> None:
        if obj.organization_id is not None:
            obj.is_staff = obj.role == Role.ADMIN
            obj.is_superuser = False
        super().save_model(request, obj, form, change)
