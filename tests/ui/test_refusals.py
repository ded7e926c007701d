"""What Django itself refuses, in our own words."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.factories import World

pytestmark = pytest.mark.django_db

DRAFT = "/broadcasts/new/"


@pytest.fixture
def strict(ours: World) -> Client:
    """A browser whose forms have to prove where they come from."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(ours.editor)
    return client


def refused(client: Client, *, secure: bool = False) -> str:
    answer = client.post(DRAFT, {"name": "Renewal"}, secure=secure)
    assert answer.status_code == 403
    text = answer.content.decode()
    assert "Nothing was changed." in text
    assert "verification" not in text
    return text


def test_a_form_from_before_a_sign_in_says_what_to_do(strict: Client) -> None:
    strict.get(DRAFT)

    assert "This page was open for too long" in refused(strict)


def test_a_browser_without_cookies_is_told_so(strict: Client) -> None:
    assert "Your browser sent no cookie" in refused(strict)


def test_a_browser_that_hides_the_page_is_told_so(strict: Client) -> None:
    strict.get(DRAFT)

    text = refused(strict, secure=True)

    assert "Your browser did not say where this came from" in text
