"""Messages, attempts, receipts and what people said of them: to look at."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from messaging.admin.hidden_codes import (
    codes_of_attempt,
    codes_of_message,
    without_codes,
)
from messaging.admin.tenancy import (
    ReadOnlyAdmin,
    TenantInline,
    seen_organization_ids,
)
from messaging.models import Attempt, CountedDelivery, Integration, Message, Receipt
from messaging.search import messages_matching


def by_number(queryset: QuerySet[Any], term: str, *columns: str) -> QuerySet[Any]:
    """Keep rows in which one of the columns is this number; none for other text."""
    number = number_in(term)
    if number is None:
        return queryset.none()
    found = Q()
    for column in columns:
        found |= Q(**{column: number})
    return queryset.filter(found)


def number_in(term: str) -> int | None:
    """Return the number of a row that somebody typed."""
    number = term.strip().lstrip("#")
    return int(number) if number.isdecimal() and len(number) <= 18 else None


class AttemptInline(TenantInline):
    """The tries of one message; they are few."""

    model = Attempt
    is_editable = False
    fields = (
        "number",
        "state",
        "actor",
        "actor_name",
        "error_code",
        "opened_at",
        "duration_ms",
        "details",
    )
    readonly_fields = fields
    ordering = ("number",)

    @admin.display(description="more")
    def details(self, attempt: Attempt) -> SafeString:
        url = reverse("admin:messaging_attempt_change", args=[attempt.pk])
        return format_html('<a href="{}">Answer and receipts</a>', url)


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = (
        "public_id",
        "contact",
        "organization",
        "state",
        "channel",
        "attempt_count",
        "error_code",
        "state_at",
    )
    list_filter = ("state", "channel")
    list_select_related = ("contact", "organization")
    sortable_by = ()
    ordering = ("-id",)
    search_fields = ("id",)
    search_help_text = (
        "A number, a public id (ra_…), or the beginning of a member's name, external"
        " id, e-mail or phone number."
    )
    inlines = (AttemptInline,)
    exclude = ("parameters",)
    readonly_fields = ("filled_in",)

    @admin.display(description="parameters")
    def filled_in(self, message: Message) -> SafeString | str:
        return without_codes(message.parameters, codes_of_message(message.pk))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        seen = seen_organization_ids(request)
        return messages_matching(queryset, search_term, seen), False


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "message_id",
        "number",
        "organization",
        "integration",
        "state",
        "error_code",
        "actor",
        "opened_at",
    )
    list_filter = ("state", "channel", "actor")
    list_select_related = ("organization", "integration")
    sortable_by = ()
    ordering = ("-id",)
    search_fields = ("id",)
    search_help_text = "A message's or attempt's number, or the provider's number."
    exclude = ("answer", "error_detail")
    readonly_fields = ("shown_detail", "shown_answer")

    @admin.display(description="error detail")
    def shown_detail(self, attempt: Attempt) -> SafeString | str:
        codes = codes_of_message(attempt.message_id)
        return without_codes(attempt.error_detail, codes)

    @admin.display(description="answer")
    def shown_answer(self, attempt: Attempt) -> SafeString | str:
        return without_codes(attempt.answer, codes_of_message(attempt.message_id))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term:
            return queryset, False
        # The provider's numbers are indexed below their integration.
        seen = Integration.objects.filter(
            organization__in=seen_organization_ids(request)
        )
        ids = list(seen.values_list("pk", flat=True))
        theirs = queryset.filter(integration__in=ids, provider_id=search_term.strip())
        return theirs | by_number(queryset, search_term, "pk", "message_id"), False


@admin.register(Receipt)
class ReceiptAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "organization",
        "integration",
        "kind",
        "state",
        "result",
        "attempt_id",
        "received_at",
    )
    list_filter = ("result",)
    list_select_related = ("organization", "integration")
    sortable_by = ()
    ordering = ("-id",)
    search_fields = ("id",)
    search_help_text = "A receipt's or attempt's number."
    exclude = ("raw", "error_detail")
    readonly_fields = ("shown_detail", "shown_raw")

    @admin.display(description="error detail")
    def shown_detail(self, receipt: Receipt) -> SafeString | str:
        codes = codes_of_attempt(receipt.attempt_id)
        return without_codes(receipt.error_detail, codes)

    @admin.display(description="what the provider told")
    def shown_raw(self, receipt: Receipt) -> SafeString | str:
        return without_codes(receipt.raw, codes_of_attempt(receipt.attempt_id))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term:
            return queryset, False
        return by_number(queryset, search_term, "pk", "attempt_id"), False


@admin.register(CountedDelivery)
class CountedDeliveryAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "organization",
        "message_id",
        "attempt_id",
        "person_name",
        "reason",
        "created_at",
    )
    list_select_related = ("organization",)
    sortable_by = ()
    ordering = ("-id",)
    search_fields = ("id",)
    search_help_text = "A message's or attempt's number."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term:
            return queryset, False
        return by_number(queryset, search_term, "message_id", "attempt_id"), False
