"""Credits: the balance to look at, the ledger behind it, and topping up.

Credits stand for what the server's operator is paid, so operators alone grant them.
An organization's admin sees the balance and every line.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from messaging import trail
from messaging.admin.tenancy import (
    ModelAdmin,
    ReadOnlyAdmin,
    TenantForm,
    is_operator,
)
from messaging.admin.traffic import number_in
from messaging.credits import attempts_for, top_up
from messaging.models import AuditKind, CreditAccount, CreditEntry, Organization, User


class TopUpForm(forms.Form):
    amount = forms.IntegerField(
        min_value=1, max_value=1_000_000_000, help_text="Credits to add."
    )
    note = forms.CharField(
        max_length=150,
        required=False,
        help_text="Stands in the ledger, for example the number of an invoice.",
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )


@admin.register(CreditAccount)
class CreditAccountAdmin(ReadOnlyAdmin):
    """Only the ledger moves the balance; a top-up is a line of the ledger."""

    audit_kind = AuditKind.CREDITS
    form = TenantForm
    list_display = ("organization", "available", "held", "owed")
    fields = list_display
    list_select_related = ("organization",)
    sortable_by = ()
    ordering = ("organization",)
    search_fields = ("organization__name__istartswith",)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.top_up_view)
        name = "messaging_creditaccount_top_up"
        own = [path("<path:object_id>/top-up/", view, name=name)]
        return own + list(super().get_urls())

    def has_top_up_permission(self, request: HttpRequest) -> bool:
        return is_operator(request)

    def top_up_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Top up an organization, which has no account before its first credits."""
        organizations = self.admin_site.get_model_admin(Organization)
        organization: Any = organizations.get_object(request, object_id)
        if not self.has_top_up_permission(request):
            raise PermissionDenied
        form = TopUpForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            amount = form.cleaned_data["amount"]
            account = self._top_up(request, organization, form.cleaned_data)
            self.message_user(request, f"Added {amount:,} credits.", messages.SUCCESS)
            return HttpResponseRedirect(
                reverse("admin:messaging_creditaccount_change", args=[account.pk])
            )
        context = {
            **self.admin_site.each_context(request),
            "title": f"Top up {organization}",
            "opts": self.opts,
            "account": CreditAccount.objects.filter(pk=organization.pk).first(),
            "form": form,
        }
        return TemplateResponse(
            request, "admin/messaging/creditaccount/top_up.html", context
        )

    @transaction.atomic
    def _top_up(
        self, request: HttpRequest, organization: Organization, answers: dict[str, Any]
    ) -> CreditAccount:
        """Add the credits, on record in the ledger, the trail, and the history here."""
        note = _note(request, answers["note"])
        top_up(organization=organization, amount=answers["amount"], note=note)
        account = CreditAccount.objects.get(pk=organization.pk)
        sentence = f"Topped up by {answers['amount']:,} credits."
        trail.record(
            self.audit_kind,
            sentence,
            organization_id=organization.pk,
            doer=trail.by_person(request.user),
            reason=answers["note"],
            link=self._address_of(account),
        )
        # Past the hook of TenantAdmin: the line above says it better.
        ModelAdmin.log_change(self, request, account, sentence)
        return account


def _note(request: HttpRequest, note: str) -> str:
    """Put the name of the person before the note; the column holds 200."""
    person = request.user
    name = person.get_username() if isinstance(person, User) else ""
    return f"{name}: {note}".rstrip(": ")[:200]


@admin.register(CreditEntry)
class CreditEntryAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "organization",
        "step",
        "amount",
        "available_change",
        "held_change",
        "owed_change",
        "message_id",
        "attempt_id",
        "created_at",
    )
    list_filter = ("step",)
    list_select_related = ("organization",)
    sortable_by = ()
    ordering = ("-id",)
    search_fields = ("message_id",)
    search_help_text = "A message's or attempt's number."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term:
            return queryset, False
        number = number_in(search_term)
        if number is None:
            return queryset.none(), False
        return queryset.filter(attempt_id__in={number, *attempts_for(number)}), False
