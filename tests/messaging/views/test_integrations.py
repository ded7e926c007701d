"""A paused integration is resumed by one click, by somebody who may."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from messaging.models import Integration
from tests.factories import World

pytestmark = pytest.mark.django_db

WHY = "The provider refuses the credentials: session expired"


@pytest.fixture
def paused(ours: World) -> Integration:
    ours.message()
    return ours.integration(name="Front desk", state="paused", state_reason=WHY)


def resume(client: Client, integration: Integration, **values: str) -> str:
    url = reverse("messaging:integration-resume", args=[integration.pk])
    return str(client.post(url, values, follow=True).content.decode())


def test_the_overview_names_it_and_one_click_resumes_it(
    editor: Client, paused: Integration
) -> None:
    page = editor.get(reverse("overview")).content.decode()
    assert "“Front desk” is paused" in page
    assert WHY in page
    assert reverse("messaging:integration-resume", args=[paused.pk]) in page

    page = resume(editor, paused)

    paused.refresh_from_db()
    assert (paused.state, paused.state_reason) == ("active", "")
    assert "“Front desk” sends again." in page
    assert "“Front desk” is paused" not in page


def test_whoever_comes_second_learns_that_it_sends_already(
    editor: Client, paused: Integration
) -> None:
    resume(editor, paused)

    assert "was not paused any more" in resume(editor, paused)


def test_an_agent_sees_it_and_is_told_whom_to_ask(
    agent: Client, paused: Integration
) -> None:
    page = agent.get(reverse("overview")).content.decode()

    assert "“Front desk” is paused" in page
    assert "Ask an admin" in page
    assert "/resume/" not in page


def test_nobody_is_led_away_to_another_site(
    editor: Client, paused: Integration
) -> None:
    url = reverse("messaging:integration-resume", args=[paused.pk])

    answer = editor.post(url, {"next": "https://evil.example/"})

    assert answer["Location"] == reverse("overview")


def test_it_leads_back_to_the_page_that_asked(
    editor: Client, paused: Integration
) -> None:
    url = reverse("messaging:integration-resume", args=[paused.pk])
    back = reverse("messaging:message-list")

    assert editor.post(url, {"next": back})["Location"] == back
