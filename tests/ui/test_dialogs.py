from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from django import forms
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django_htmx.middleware import HtmxMiddleware

from resend_admin.ui.dialogs import (
    close_dialog,
    dialog_base,
    may_wait,
    render_dialog,
    render_waiting,
)
from resend_admin.ui.toasts import toast

pytestmark = pytest.mark.urls("tests.ui.urls")


class NameForm(forms.Form):
    name = forms.CharField(label="Name")


def prepared(request: HttpRequest) -> HttpRequest:
    def answer(_request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    SessionMiddleware(answer).process_request(request)
    MessageMiddleware(answer).process_request(request)
    HtmxMiddleware(answer)(request)
    request.user = SimpleNamespace(is_authenticated=False)  # type: ignore[assignment]
    return request


def htmx(rf: RequestFactory, method: str = "get", **data: Any) -> HttpRequest:
    headers = {"HX-Request": "true", "HX-Target": "dialog"}
    return prepared(getattr(rf, method)("/form/?a=1", data, headers=headers))


def shown(request: HttpRequest, form: forms.Form, **context: Any) -> HttpResponse:
    base = dialog_base(request)
    return render_dialog(request, base, {"form": form, "cancel_url": "/x/", **context})


def test_htmx_gets_the_dialog_alone(rf: RequestFactory) -> None:
    html = shown(htmx(rf), NameForm()).content.decode()
    assert "<html" not in html
    assert 'action="/form/" hx-post' not in html
    assert 'command="close" commandfor="dialog"' in html


def test_without_scripts_the_same_form_is_a_page(rf: RequestFactory) -> None:
    html = shown(prepared(rf.get("/form/")), NameForm()).content.decode()
    assert html.startswith("<!doctype html>")
    assert '<a class="btn" href="/x/">Cancel</a>' in html
    assert 'method="post" action="/form/"' in html


def test_another_target_of_htmx_is_no_dialog(rf: RequestFactory) -> None:
    request = rf.get("/", headers={"HX-Request": "true", "HX-Target": "results"})
    assert dialog_base(request) == "ui/dialog_page.html"


def test_a_form_with_errors_answers_422_with_the_errors(rf: RequestFactory) -> None:
    response = shown(htmx(rf, "post"), NameForm({}))
    assert response.status_code == 422
    assert 'aria-invalid="true"' in response.content.decode()


def test_a_form_that_is_shown_first_answers_200(rf: RequestFactory) -> None:
    assert shown(htmx(rf), NameForm()).status_code == 200


def test_a_refusal_may_have_its_own_status(rf: RequestFactory) -> None:
    request = htmx(rf)
    context = {"form": NameForm(), "dialog_off": "Somebody was faster."}
    response = render_dialog(request, dialog_base(request), context, status=409)
    assert response.status_code == 409
    html = response.content.decode()
    assert 'type="submit" aria-disabled="true" aria-describedby="dialog-why"' in html
    assert "<span>Somebody was faster.</span>" in html


def test_caches_keep_page_and_dialog_apart(rf: RequestFactory) -> None:
    assert "HX-Request" in shown(htmx(rf), NameForm())["Vary"]


def test_a_dialog_whose_figures_take_a_moment_opens_and_asks_once_more(
    rf: RequestFactory,
) -> None:
    request = htmx(rf)
    assert may_wait(request)

    response = render_waiting(request, "Resend", "Looking at all of them.")

    html = response.content.decode()
    assert "<html" not in html
    assert 'hx-get="/form/?a=1" hx-trigger="load" hx-target="#dialog"' in html
    assert """hx-headers='{"Dialog-Has-Waited": "yes"}'""" in html
    assert "Looking at all of them." in html
    assert "Dialog-Has-Waited" in response["Vary"]
    assert "Dialog-Has-Waited" in shown(request, NameForm())["Vary"]


def test_who_has_waited_gets_the_whole_and_so_does_a_page(rf: RequestFactory) -> None:
    headers = {"HX-Request": "true", "HX-Target": "dialog", "Dialog-Has-Waited": "yes"}

    assert not may_wait(prepared(rf.get("/form/", headers=headers)))
    assert not may_wait(prepared(rf.get("/form/")))
    assert not may_wait(htmx(rf, "post"))


def test_a_dialog_that_is_done_takes_the_whole_page_along(rf: RequestFactory) -> None:
    response = close_dialog(htmx(rf, "post"), "/there/", "Done.")
    assert response["HX-Redirect"] == "/there/"


def test_a_page_that_is_done_redirects_and_tells(rf: RequestFactory) -> None:
    request = prepared(rf.post("/form/"))
    response = close_dialog(request, "/there/", "Done.")
    assert response.status_code == 302
    assert response["Location"] == "/there/"
    assert [str(note) for note in request._messages] == ["Done."]  # type: ignore[attr-defined]


def test_a_toast_travels_with_the_answer() -> None:
    response = toast(HttpResponse(), "Sent “again”.")
    trigger = json.loads(response["HX-Trigger"])
    assert trigger == {"toast": {"text": "Sent “again”."}}
