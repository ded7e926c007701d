"""Tallies and the heartbeat: written by the database and the engine alone."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from messaging.admin.tenancy import ReadOnlyAdmin
from messaging.admin.traffic import by_number
from messaging.models import DailyFigure, Meter, Pulse, Recovery, Tally


@admin.register(Tally)
class TallyAdmin(ReadOnlyAdmin):
    list_display = (
        "day",
        "organization",
        "broadcast_id",
        "unit",
        "channel",
        "integration_id",
        "attempt_number",
        "outcome",
        "error_code",
        "cause_code",
        "count",
    )
    list_filter = ("unit",)
    list_select_related = ("organization",)
    sortable_by = ()
    ordering = ("-id",)
    search_fields = ("broadcast_id",)
    search_help_text = "A broadcast's number."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term:
            return queryset, False
        return by_number(queryset, search_term, "broadcast_id"), False


@admin.register(Recovery)
class RecoveryAdmin(ReadOnlyAdmin):
    list_display = (
        "day",
        "organization",
        "broadcast_id",
        "channel",
        "integration_id",
        "resend_number",
        "bucket",
        "count",
        "credits",
    )
    list_select_related = ("organization",)
    sortable_by = ()
    ordering = ("-id",)
    search_fields = ("broadcast_id",)
    search_help_text = "A broadcast's number."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term:
            return queryset, False
        return by_number(queryset, search_term, "broadcast_id"), False


@admin.register(DailyFigure)
class DailyFigureAdmin(ReadOnlyAdmin):
    list_display = (
        "day",
        "organization",
        "kind",
        "channel",
        "integration_id",
        "number",
        "outcome",
        "code",
        "count",
        "credits",
    )
    list_filter = ("kind",)
    list_select_related = ("organization",)
    sortable_by = ()
    ordering = ("-id",)


@admin.register(Pulse)
class PulseAdmin(ReadOnlyAdmin):
    organization_path = ""
    list_display = ("id", "beaten_at")


@admin.register(Meter)
class MeterAdmin(ReadOnlyAdmin):
    list_display = (
        "organization",
        "series",
        "channel",
        "label",
        "came",
        "gone",
        "milliseconds",
    )
    list_filter = ("series", "channel")
    list_select_related = ("organization",)
    sortable_by = ()
    ordering = ("-id",)
