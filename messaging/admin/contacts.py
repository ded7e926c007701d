"""Members, one by one. Many at once come in from a CSV file."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from messaging.admin.tenancy import TenantAdmin, TenantForm, seen_organization_ids
from messaging.models import Contact
from messaging.models.contact import channel_choices
from messaging.search import members_matching


class ContactForm(TenantForm):
    opted_out_channels = forms.MultipleChoiceField(
        choices=channel_choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Channels on which this person asked not to be written to.",
    )

    class Meta:
        model = Contact
        exclude: tuple[str, ...] = ()

    def clean_phone(self) -> str:
        """Return the number in E.164, without the spaces people write."""
        phone = re.sub(r"[\s().\-]", "", self.cleaned_data["phone"])
        if phone and not re.fullmatch(r"\+[1-9][0-9]{6,14}", phone):
            message = "Enter the number with its country code, like +233241234567."
            raise forms.ValidationError(message)
        return phone

    def clean_country(self) -> str:
        return str(self.cleaned_data["country"]).upper()


@admin.register(Contact)
class ContactAdmin(TenantAdmin):
    form = ContactForm
    audit_hidden = frozenset(
        {"external_id", "name", "phone", "email", "telegram_chat_id"}
    )
    managers_may_add = True
    managers_may_change = True
    may_delete = True
    actions = None
    list_display = ("__str__", "external_id", "phone", "email", "organization")
    list_select_related = ("organization",)
    list_display_links = ("__str__", "external_id")
    sortable_by = ()
    ordering = ("-id",)
    search_fields = ("external_id",)
    search_help_text = (
        "The beginning of a first or last name, external id, e-mail or phone number."
    )
    autocomplete_fields = ("organization",)
    readonly_fields = ("whatsapp_inbound_at", "created_at", "updated_at")

    def audit_name(self, obj: Contact) -> str:
        """Name nobody: the trail outlives what is kept of members."""
        return f"number {obj.pk}"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term:
            return queryset, False
        seen = queryset.filter(organization__in=seen_organization_ids(request))
        return members_matching(seen, search_term), False
