"""API clients: secrets are shown once, then they can be replaced or shut out."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.cache import never_cache
from oauth2_provider.models import (
    AccessToken,
    Application,
    Grant,
    IDToken,
    RefreshToken,
)

from messaging import api_clients
from messaging.admin.tenancy import ReadOnlyAdmin, TenantAdmin
from messaging.models import ApiClient, ApiClientPace, AuditKind, KeptAnswer

# Clients are made and shut out here, where they have an organization.
for model in (AccessToken, Application, Grant, IDToken, RefreshToken):
    admin.site.unregister(model)


@admin.register(ApiClient)
class ApiClientAdmin(TenantAdmin):
    """Nothing is deleted: what a client has sent names it."""

    audit_kind = AuditKind.CLIENT
    managers_may_add = True
    managers_may_change = True
    list_display = (
        "name",
        "key",
        "organization",
        "access",
        "requests_per_minute",
        "last_used_at",
        "is_live",
    )
    list_filter = ("access",)
    list_select_related = ("organization",)
    ordering = ("organization", "name")
    sortable_by = ()
    search_fields = ("name__istartswith", "key")
    search_help_text = "The beginning of its name, or its key."
    autocomplete_fields = ("organization",)
    fields = ("organization", "name", "access", "requests_per_minute")
    actions = None

    @admin.display(description="live", boolean=True)
    def is_live(self, client: ApiClient) -> bool:
        return not client.is_revoked

    @admin.display(description="bearer token")
    def bearer_state(self, client: ApiClient) -> str:
        return "Kept as a hash" if client.has_bearer else "None"

    def get_fields(self, request: HttpRequest, obj: Any | None = None) -> Any:
        told = self.get_readonly_fields(request, obj)
        return (*self.fields, *told)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Any | None = None
    ) -> tuple[str, ...]:
        if obj is None:
            return ()
        return (
            "key",
            "bearer_state",
            "created_at",
            "rotated_at",
            "former_secret_until",
            "bearer_changed_at",
            "former_bearer_until",
            "revoked_at",
            "last_used_at",
        )

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"<path:object_id>/{verb}/",
                self.admin_site.admin_view(view),
                name=f"messaging_apiclient_{verb.replace('/', '_')}",
            )
            for verb, view in (
                ("rotate", self.rotate_view),
                ("bearer", self.bearer_view),
                ("bearer/remove", self.bearer_remove_view),
                ("revoke", self.revoke_view),
            )
        ]
        return own + list(super().get_urls())

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        made, secret = api_clients.create(
            organization=obj.organization,
            name=obj.name,
            access=obj.access,
            requests_per_minute=obj.requests_per_minute,
        )
        obj.pk, obj.key, obj.new_secret = made.pk, made.key, secret

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the secret in the answer itself: a redirect would have to keep it."""
        return self._with_secret(request, obj, obj.new_secret)

    def rotate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        client = self._living(request, object_id)
        if request.method != "POST":
            return self._confirm(
                request,
                client,
                verb="Rotate the secret",
                sentence="The client gets a new secret. The present one, and tokens"
                " that are given for it, go on working for 24 hours, so that the"
                " program can change over.",
                may_stop="Stop the present secret and its tokens at once",
            )
        at_once = "at_once" in request.POST
        with transaction.atomic():
            secret = api_clients.rotate(client, at_once=at_once)
            stopped = " The former one stopped at once." if at_once else ""
            self.log_change(request, client, f"Rotated the secret.{stopped}")
        return self._with_secret(request, client, secret)

    def bearer_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make the first bearer token, or another one in its place."""
        client = self._living(request, object_id)
        verb = "Rotate the bearer token" if client.has_bearer else "Make a bearer token"
        if request.method != "POST":
            present = (
                "The present one goes on working for 24 hours, so that the program can"
                " change over."
                if client.has_bearer
                else "Whoever has it may do what the client may."
            )
            return self._confirm(
                request,
                client,
                verb=verb,
                sentence=f"The client gets a new bearer token, a UUID. {present}"
                " Its key and secret stay as they are.",
                may_stop="Stop the present token at once" if client.has_bearer else "",
            )
        had_one, at_once = client.has_bearer, "at_once" in request.POST
        with transaction.atomic():
            token = api_clients.rotate_bearer(client, at_once=at_once)
            done = "Rotated the" if had_one else "Made a"
            stopped = " The former one stopped at once." if had_one and at_once else ""
            self.log_change(request, client, f"{done} bearer token.{stopped}")
        return self._with_bearer(request, client, token)

    def bearer_remove_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        client = self._living(request, object_id)
        if request.method != "POST":
            return self._confirm(
                request,
                client,
                verb="Remove the bearer token",
                sentence="The bearer token is void at once, and so is the one before"
                " it. The client's key and secret stay as they are.",
            )
        with transaction.atomic():
            api_clients.remove_bearer(client)
            self.log_change(request, client, "Removed the bearer token.")
        self.message_user(
            request, f"Removed the bearer token of {client}.", messages.SUCCESS
        )
        return HttpResponseRedirect(
            reverse("admin:messaging_apiclient_change", args=[client.pk])
        )

    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        client = self._living(request, object_id)
        if request.method != "POST":
            return self._confirm(
                request,
                client,
                verb="Revoke",
                sentence="The client is shut out at once and for good. It stays on"
                " record for what it has sent.",
            )
        with transaction.atomic():
            api_clients.revoke(client)
            self.log_change(request, client, "Revoked.")
        self.message_user(request, f"Revoked {client}.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:messaging_apiclient_changelist"))

    def _living(self, request: HttpRequest, object_id: str) -> ApiClient:
        client: ApiClient = self.get_object(request, object_id)
        if client.is_revoked or not self.has_change_permission(request, client):
            raise PermissionDenied
        return client

    def _confirm(
        self,
        request: HttpRequest,
        client: ApiClient,
        *,
        verb: str,
        sentence: str,
        may_stop: str = "",
    ) -> HttpResponse:
        """Ask first; ``may_stop`` is the label of a tick that ends the overlap."""
        context = self._context(request, client, title=f"{verb}: {client}")
        return TemplateResponse(
            request,
            "admin/messaging/apiclient/confirm.html",
            {**context, "verb": verb, "sentence": sentence, "may_stop": may_stop},
        )

    def _with_secret(
        self, request: HttpRequest, client: ApiClient, secret: str
    ) -> HttpResponse:
        context = self._context(request, client, title=f"The secret of {client}")
        return _uncached(
            request,
            "admin/messaging/apiclient/secret.html",
            {**context, "secret": secret},
        )

    def _with_bearer(
        self, request: HttpRequest, client: ApiClient, token: str
    ) -> HttpResponse:
        context = self._context(request, client, title=f"The bearer token of {client}")
        return _uncached(
            request,
            "admin/messaging/apiclient/bearer.html",
            {**context, "token": token},
        )

    def _context(
        self, request: HttpRequest, client: ApiClient, *, title: str
    ) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "client": client,
        }


@never_cache
def _uncached(
    request: HttpRequest, template: str, context: dict[str, Any]
) -> HttpResponse:
    return TemplateResponse(request, template, context)


@admin.register(ApiClientPace)
class ApiClientPaceAdmin(ReadOnlyAdmin):
    organization_path = "client__organization"
    list_display = ("client", "paid_until")
    list_select_related = ("client",)
    sortable_by = ()
    ordering = ("client",)


@admin.register(KeptAnswer)
class KeptAnswerAdmin(ReadOnlyAdmin):
    organization_path = "client__organization"
    list_display = ("key", "client", "status", "created_at")
    list_select_related = ("client",)
    fields = ("client", "key", "status", "created_at")
    sortable_by = ()
    ordering = ("-pk",)
