"""Bring members in from a CSV file, and hand back the rows that did not fit."""

from __future__ import annotations

from typing import Final

from django.core import signing
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
)
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from messaging.access import organization_of, role_required
from messaging.forms import MemberImportForm
from messaging.members import ImportRefused, ImportResult, import_csv
from messaging.models import Organization, Role
from messaging.trail import by_person
from resend_admin.ui.csv import stream_csv

SHOWN_PROBLEMS: Final = 200
"""Bad rows that the page lists; the download has all that were kept."""
PROBLEM_COLUMNS: Final = ("Line", "Column", "Value", "Reason")
TEMPLATE_COLUMNS: Final = (
    "external_id",
    "name",
    "phone",
    "email",
    "telegram_chat_id",
    "country",
    "language",
    "tags",
)
EXAMPLE: Final = (
    "M-1001",
    "Ama Mensah",
    "0241234567",
    "ama@example.org",
    "",
    "GH",
    "en",
    "gold;newsletter",
)
A_DAY: Final = 24 * 3600


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.EDITOR)
def member_import(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _form_page(request, MemberImportForm())
    form = MemberImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return _form_page(request, form, status=422)
    organization = organization_of(request)
    try:
        result = import_csv(
            organization=organization,
            file=form.cleaned_data["file"],
            by=by_person(request.user),
            default_region=form.cleaned_data["country"],
        )
    except ImportRefused as refusal:
        form.add_error("file", str(refusal))
        return _form_page(request, form, status=422)
    context = {
        "result": result,
        "problems": result.problems[:SHOWN_PROBLEMS],
        "not_shown": max(result.problem_count - SHOWN_PROBLEMS, 0),
        "file_name": form.cleaned_data["file"].name,
        "sealed": _sealed(organization, result) if result.problems else "",
        "trail": _trail(),
    }
    return render(request, "messaging/member_import_result.html", context)


@require_POST
@role_required(Role.EDITOR)
def member_import_problems(request: HttpRequest) -> HttpResponseBase:
    """Hand back the bad rows of an import, which its page carries, as CSV."""
    rows = _unsealed(organization_of(request), request.POST.get("sealed", ""))
    return stream_csv("rows-to-mend.csv", PROBLEM_COLUMNS, rows)


@require_safe
@role_required(Role.EDITOR)
def member_import_template(request: HttpRequest) -> HttpResponseBase:
    return stream_csv("members.csv", TEMPLATE_COLUMNS, [EXAMPLE])


def _form_page(
    request: HttpRequest, form: MemberImportForm, status: int = 200
) -> HttpResponse:
    context = {"form": form, "columns": TEMPLATE_COLUMNS, "trail": _trail()}
    return render(request, "messaging/member_import.html", context, status=status)


def _trail() -> list[tuple[str, str]]:
    return [("Members", reverse("messaging:member-list"))]


def _salt(organization: Organization) -> str:
    return f"messaging.member_import.{organization.pk}"


def _sealed(organization: Organization, result: ImportResult) -> str:
    """Return the bad rows as a signed text, so that nothing has to be stored."""
    rows = [(row.line, row.column, row.value, row.reason) for row in result.problems]
    return signing.dumps(rows, salt=_salt(organization), compress=True)


def _unsealed(organization: Organization, sealed: str) -> list[list[object]]:
    try:
        rows: list[list[object]] = signing.loads(
            sealed, salt=_salt(organization), max_age=A_DAY
        )
    except signing.BadSignature as error:
        raise Http404 from error
    return rows
