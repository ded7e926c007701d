"""Setting up an app in a browser, and logging in with it, under the strict policy."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from messaging.models import SecondFactor, User
from tests.factories import World
from tests.messaging.test_second_factor import code_of

PASSWORD = "correct horse battery"


def log_in(page: Page, server: str, person: User) -> None:
    page.goto(f"{server}/login/")
    page.get_by_label("Username").fill(person.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


@pytest.mark.django_db(transaction=True)
def test_an_app_is_set_up_and_asked_for(
    browser: Browser, live_server: LiveServer, ours: World, settings: Settings
) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    person = ours.admin
    person.set_password(PASSWORD)
    person.save()
    context = browser.new_context()
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))

    log_in(page, live_server.url, person)
    page.get_by_role("link", name="Your account").click()
    page.get_by_role("button", name="Set up an app").click()
    picture = page.get_by_role("img", name="A QR code")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth > 0")
    page.get_by_label("Code of the app").fill(code_of(person))
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_label("Recovery codes")).to_be_visible()

    context.clear_cookies()
    SecondFactor.objects.update(last_step=-1)
    log_in(page, live_server.url, person)
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()
    page.get_by_label("Code").fill(code_of(person))
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(f"{live_server.url}{reverse('overview')}")
    assert complaints == []
    context.close()
