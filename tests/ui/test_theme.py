from __future__ import annotations

import pytest
from django.test import Client, RequestFactory

from resend_admin.ui.themes import chosen_theme

pytestmark = pytest.mark.urls("tests.ui.urls")


@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
def test_the_theme_is_kept_and_the_way_leads_back(client: Client, theme: str) -> None:
    response = client.post("/theme/", {"theme": theme, "next": "/login/?next=/x/"})
    assert response.status_code == 302
    assert response["Location"] == "/login/?next=/x/"
    assert client.cookies["theme"].value == theme
    assert client.cookies["theme"]["samesite"] == "Lax"


def test_the_page_is_drawn_in_the_theme_at_once(client: Client) -> None:
    client.cookies["theme"] = "dark"
    page = client.get("/login/").content.decode()
    assert '<html lang="en" data-theme="dark">' in page
    assert 'value="dark" aria-pressed="true"' in page


def test_auto_leaves_the_choice_to_the_browser(client: Client) -> None:
    page = client.get("/login/").content.decode()
    assert '<html lang="en">' in page
    assert 'value="auto" aria-pressed="true"' in page


def test_a_theme_nobody_offers_is_not_kept(client: Client) -> None:
    assert client.post("/theme/", {"theme": "<pink>"}).status_code == 302
    assert "theme" not in client.cookies


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""]
)
def test_the_way_back_stays_on_this_site(client: Client, target: str) -> None:
    response = client.post("/theme/", {"theme": "dark", "next": target})
    assert response["Location"] == "/"


def test_the_theme_changes_by_post_alone(client: Client) -> None:
    assert client.get("/theme/").status_code == 405


def test_a_cookie_from_elsewhere_does_not_reach_the_page(rf: RequestFactory) -> None:
    request = rf.get("/")
    request.COOKIES["theme"] = '"><script>'
    assert chosen_theme(request) == "auto"
