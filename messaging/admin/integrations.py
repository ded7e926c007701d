"""Integrations: credentials that are written and never shown, and their health."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from messaging.admin.integration_form import (
    field_names,
    integration_form,
    stored_credentials,
)
from messaging.admin.tenancy import (
    ModelForm,
    ReadOnlyAdmin,
    TenantAdmin,
    is_operator,
)
from messaging.channels import PROVIDERS
from messaging.channels.contract import Account, Provider
from messaging.devices import checking
from messaging.devices.words import pill_of, sentence_of
from messaging.models import AuditKind, Integration, IntegrationPace
from resend_admin.ui.time_zones import moment_in_words


@admin.register(Integration)
class IntegrationAdmin(TenantAdmin):
    """Added in two steps: choose the provider, then fill in what it needs."""

    audit_kind = AuditKind.INTEGRATION
    managers_may_add = True
    managers_may_change = True
    list_display = ("name", "kind", "channel", "organization", "state", "is_complete")
    list_filter = ("kind", "state")
    list_select_related = ("organization",)
    ordering = ("organization", "channel", "name")
    sortable_by = ()
    search_fields = ("name__istartswith",)
    search_help_text = "The beginning of its name."
    autocomplete_fields = ("organization",)
    readonly_fields = ("provider_name", "phone", "hook_url", "problems", "created_at")
    actions = None

    def get_readonly_fields(
        self, request: HttpRequest, obj: Any | None = None
    ) -> tuple[str, ...]:
        """What a message costs is the operator's to say."""
        if is_operator(request):
            return self.readonly_fields
        return (*self.readonly_fields, "credit_price")

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.GET.get("kind") in PROVIDERS or not self.has_add_permission(request):
            return super().add_view(request, form_url, extra_context)
        context = {
            **self.admin_site.each_context(request),
            "title": "Choose a provider",
            "opts": self.opts,
            "providers": PROVIDERS.values(),
        }
        return TemplateResponse(
            request, "admin/messaging/choose_provider.html", context
        )

    def get_form(
        self,
        request: HttpRequest,
        obj: Any | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> type[ModelForm]:
        kwargs["form"] = integration_form(_provider(request, obj))
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any | None = None) -> Any:
        provider = _provider(request, obj)
        general = ["organization", "name"]
        pace = ["state", "state_reason", "rate_per_second", "credit_price"]
        sets: list[Any] = [(None, {"fields": general + pace})]
        if self.has_change_permission(request, obj):
            sets.append((provider.name, {"fields": field_names(provider, obj)}))
        if obj is not None:
            health = ["provider_name", "problems", "hook_url", "created_at"]
            if obj.kind == checking.KIND:
                health.insert(1, "phone")
            sets.append(("Health and receipts", {"fields": health}))
        return sets

    @admin.display(description="provider")
    def provider_name(self, integration: Integration) -> str:
        return integration.provider.name

    @admin.display(description="complete", boolean=True)
    def is_complete(self, integration: Integration) -> bool:
        return not _problems(integration)

    @admin.display(description="problems")
    def problems(self, integration: Integration) -> SafeString | str:
        found = _problems(integration)
        if not found:
            return "None: everything is filled in."
        items = format_html_join("", "<li>{}</li>", ((one,) for one in found))
        return format_html("<ul>{}</ul>", items)

    @admin.display(description="phone")
    def phone(self, integration: Integration) -> SafeString | str:
        known = checking.health_of(integration)
        if known is None:
            return sentence_of(known)
        asked = moment_in_words(known.checked_at) if known.checked_at else "never"
        return format_html(
            "<strong>{}</strong> since {}<br>{}<br>Asked last: {}",
            pill_of(known).label,
            moment_in_words(known.since),
            sentence_of(known),
            asked,
        )

    @admin.display(description="address for receipts")
    def hook_url(self, integration: Integration) -> SafeString:
        return format_html(
            "<code>{}</code><br>Tell it to the provider: without it there are no"
            " receipts.",
            integration.hook_url,
        )

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Take nothing but the provider from the address."""
        return {}


def _provider(request: HttpRequest, integration: Integration | None) -> Provider:
    kind = integration.kind if integration else request.GET.get("kind", "")
    return PROVIDERS.get(kind) or next(iter(PROVIDERS.values()))


def _problems(integration: Integration) -> list[str]:
    credentials, unreadable = stored_credentials(integration)
    if unreadable:
        return [unreadable]
    account = Account(
        uid=str(integration.uid),
        credentials=credentials,
        settings=integration.settings,
        hook_url=integration.hook_url,
    )
    return integration.provider.problems(account)


@admin.register(IntegrationPace)
class IntegrationPaceAdmin(ReadOnlyAdmin):
    organization_path = "integration__organization"
    list_display = ("integration", "paid_until", "paused_until", "lease_until")
    list_select_related = ("integration",)
    sortable_by = ()
    ordering = ("integration",)
