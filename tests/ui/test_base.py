from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

from resend_admin.ui.context import nav_items, page

pytestmark = pytest.mark.urls("tests.ui.urls")

FOLDERS = [Path(folder) for folder in settings.TEMPLATES[0]["DIRS"]]
TEMPLATES = sorted(path for folder in FOLDERS for path in folder.rglob("*.html"))
INLINE = re.compile(
    r"<style|\sstyle=|\son[a-z]+=|hx-on|js:"
    r"|<script(?![^>]*\s(?:src=|type=.application/json.))"
)


class Person(SimpleNamespace):
    is_authenticated = True
    is_staff = False
    may_read = True
    organization = "Tulip Foundation"

    def get_full_name(self) -> str:
        return ""

    def get_username(self) -> str:
        return "ada"


def request_of(rf: RequestFactory, path: str = "/", **person: Any) -> HttpRequest:
    request = rf.get(path)
    request.user = Person(**person)  # type: ignore[assignment]
    return request


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_an_inline_style_or_script(template: Path) -> None:
    assert not INLINE.search(template.read_text())


def test_places_without_an_address_are_left_out(rf: RequestFactory) -> None:
    assert [item.label for item in nav_items(request_of(rf))] == ["Overview"]


def test_the_place_one_is_in_is_marked(rf: RequestFactory) -> None:
    html = render_to_string("base.html", request=request_of(rf))
    assert '<a href="/" aria-current="page" data-keys="g o">' in html
    assert not nav_items(request_of(rf, "/broadcasts/"))[0].is_current


def test_the_page_says_who_is_there_and_in_which_zone(rf: RequestFactory) -> None:
    html = render_to_string("base.html", request=request_of(rf))
    assert "ada" in html
    assert "Tulip Foundation" in html
    assert "Times in UTC" in html
    assert 'action="/logout/"' in html


def test_a_stranger_sees_no_places(rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = SimpleNamespace(is_authenticated=False)  # type: ignore[assignment]
    context = page(request)
    assert context["nav_items"] == []
    assert context["person_name"] == ""


def test_htmx_is_told_not_to_evaluate_or_style(rf: RequestFactory) -> None:
    html = render_to_string("base.html", request=request_of(rf))
    found = re.search(r"name=\"htmx-config\" content='([^']+)'", html)
    assert found
    config = json.loads(found[1])
    assert config["allowEval"] is False
    assert config["includeIndicatorStyles"] is False
    assert "style" not in config["attributesToSettle"]
    assert {"code": "422", "swap": True} in config["responseHandling"]


@pytest.mark.parametrize("code", [400, 403, 404, 500])
def test_an_error_page_needs_nothing_and_shows_the_way_on(code: int) -> None:
    html = render_to_string(f"{code}.html")
    assert str(code) in html
    assert '<a class="btn primary" href="/">' in html


def test_the_log_in_page_is_open_and_asks_for_both(client: Client) -> None:
    response = client.get("/login/")
    assert response.status_code == 200
    html = response.content.decode()
    assert 'autocomplete="username"' in html
    assert 'autocomplete="current-password"' in html


@pytest.mark.django_db
def test_a_wrong_password_is_told_in_words(client: Client) -> None:
    response = client.post("/login/", {"username": "nobody", "password": "wrong"})
    html = response.content.decode()
    assert "That name and password do not go together." in html
    assert 'role="alert"' in html
    assert 'value="nobody"' in html
    assert "wrong" not in html.split("<main", 1)[1].replace("wrong with", "")
