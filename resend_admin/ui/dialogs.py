"""A form that is a dialog where JavaScript runs and a page of its own where not.

One template serves both: it extends ``dialog_base`` (from the context) and fills the
blocks ``dialog_title``, ``dialog_lede``, ``dialog_fields`` and ``dialog_verb``. A link
with ``{% opens_dialog url %}`` loads it into the dialog of the base template.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect

DIALOG_ID = "dialog"
HAS_WAITED = "Dialog-Has-Waited"
"""The header with which a dialog that opened without its figures asks for them."""


def asks_for_dialog(request: HttpRequest) -> bool:
    """Whether htmx will put the answer into the dialog."""
    return request.headers.get("HX-Target") == DIALOG_ID


def dialog_base(request: HttpRequest) -> str:
    """The template a dialog's template extends for this request."""
    return "ui/dialog.html" if asks_for_dialog(request) else "ui/dialog_page.html"


def render_dialog(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    status: int | None = None,
) -> HttpResponse:
    """The dialog, or the page of the same form.

    The context names the ``form``, the ``cancel_url`` for the page, and may name an
    ``action`` (default: the address of this request). A form with errors answers 422,
    which htmx puts back into the dialog. ``status`` overrules that, as 409 does for a
    refusal; htmx shows 409 in the dialog as well.
    """
    form = context.get("form")
    if status is None:
        refused = isinstance(form, BaseForm) and form.is_bound and not form.is_valid()
        status = HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK
    defaults = {"action": request.get_full_path(), "cancel_url": "/"}
    response = render(request, template, defaults | context, status=status)
    patch_vary_headers(response, ["HX-Request", "HX-Target", HAS_WAITED])
    return response


def may_wait(request: HttpRequest) -> bool:
    """Whether a dialog is opening that may ask for its figures a moment later."""
    return (
        request.method == "GET"
        and asks_for_dialog(request)
        and HAS_WAITED not in request.headers
    )


def render_waiting(request: HttpRequest, title: str, text: str) -> HttpResponse:
    """The dialog without its figures, which says so and asks for itself once more.

    Only where ``may_wait`` allows it: whatever comes next has to be the whole.
    """
    context = {
        "title": title,
        "text": text,
        "url": request.get_full_path(),
        "header": HAS_WAITED,
    }
    response = render(request, "ui/dialog_waits.html", context)
    patch_vary_headers(response, ["HX-Request", "HX-Target", HAS_WAITED])
    return response


def close_dialog(request: HttpRequest, url: str, text: str = "") -> HttpResponse:
    """Done: go to ``url`` and say ``text`` there."""
    if text:
        messages.success(request, text)
    if asks_for_dialog(request):
        return HttpResponseClientRedirect(url)
    return HttpResponseRedirect(url)
