"""Tokens for the tab inside another product: one member, for minutes."""

from __future__ import annotations

import base64
import io
import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.core import signing
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from messaging import api_clients, embed
from messaging.embed import Access, NotAllowed, TokenError
from resend_admin.checks import check_embedding
from resend_admin.logs import HideTokens
from tests.factories import World

pytestmark = pytest.mark.django_db


def test_a_token_says_who_may_do_what_with_whom(ours: World) -> None:
    token = embed.make_token(
        ours.organization,
        "M/7 ü",
        access=Access.WRITE,
        person="Ama Owusu",
        host="CareDesk",
    )

    found = embed.read_token(token, "M/7 ü")

    assert found.organization_id == ours.organization.pk
    assert found.may_write
    assert found.asked_by == "Ama Owusu in CareDesk"


def test_nobody_in_particular_has_a_name_too(ours: World) -> None:
    found = embed.read_token(embed.make_token(ours.organization, "M7"), "M7")

    assert not found.may_write
    assert found.asked_by == "Somebody in another product"


def test_it_is_for_one_member(ours: World) -> None:
    token = embed.make_token(ours.organization, "M7")

    with pytest.raises(TokenError) as refused:
        embed.read_token(token, "M8")
    assert not refused.value.expired


@pytest.mark.parametrize("minutes", [1, 10, 60])
def test_it_expires(ours: World, monkeypatch: pytest.MonkeyPatch, minutes: int) -> None:
    token = embed.make_token(ours.organization, "M7", minutes=minutes)
    now = timezone.now()

    def at(passed: timedelta) -> None:
        monkeypatch.setattr("django.utils.timezone.now", lambda: now + passed)

    at(timedelta(minutes=minutes, seconds=-2))
    assert embed.read_token(token, "M7")
    at(timedelta(minutes=minutes, seconds=1))
    with pytest.raises(TokenError) as refused:
        embed.read_token(token, "M7")
    assert refused.value.expired


@pytest.mark.parametrize("minutes", [0, -5, 61])
def test_it_lives_for_minutes_only(ours: World, minutes: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 60 minutes"):
        embed.make_token(ours.organization, "M7", minutes=minutes)


def test_a_forged_token_opens_nothing(ours: World, settings: Settings) -> None:
    token = embed.make_token(ours.organization, "M7")
    body, *signatures = token.split(":")
    claims = json.dumps({"o": ours.organization.pk, "m": "M7", "a": "write"})
    forged = base64.urlsafe_b64encode(claims.encode()).decode().rstrip("=")

    for other in (
        "",
        "x",
        "::",
        token[:-1],
        token + "A",
        ":".join([forged, *signatures]),
        ":".join([body[:-2] + "AA", *signatures]),
        "A" * 5_000,
    ):
        with pytest.raises(TokenError):
            embed.read_token(other, "M7")
    settings.SECRET_KEY = "another key"
    with pytest.raises(TokenError):
        embed.read_token(token, "M7")


def test_what_is_signed_for_another_purpose_opens_nothing(ours: World) -> None:
    claims = {"o": ours.organization.pk, "m": "M7", "a": "write", "p": "", "h": ""}
    values: list[Any] = [claims, [], "M7"]
    for value in values:
        with pytest.raises(TokenError):
            embed.read_token(signing.dumps(value, salt="sealed"), "M7")
        with pytest.raises(TokenError):
            embed.read_token(signing.dumps(value, salt=embed.SALT), "M7")


def test_a_client_gives_no_more_than_it_has(ours: World) -> None:
    reader, _ = api_clients.create(
        organization=ours.organization, name="CareDesk", access="read"
    )
    writer, _ = api_clients.create(
        organization=ours.organization, name="Desk 2", access="write"
    )

    token = embed.token_for_client(writer, "M7", access=Access.WRITE, person="Ama")
    assert embed.read_token(token, "M7").asked_by == "Ama in Desk 2"
    read = embed.token_for_client(reader, "M7")
    assert not embed.read_token(read, "M7").may_write
    with pytest.raises(NotAllowed, match="CareDesk has no write access"):
        embed.token_for_client(reader, "M7", access=Access.WRITE)
    api_clients.revoke(writer)
    with pytest.raises(NotAllowed):
        embed.token_for_client(writer, "M7")


def test_the_command_prints_an_address_that_opens(
    ours: World, theirs: World, settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://resend.example.org"
    member = ours.contact(external_id="M 7")
    number = ours.organization.pk

    def printed(*arguments: str) -> str:
        out = io.StringIO()
        call_command("embed_token", *arguments, stdout=out)
        return out.getvalue().strip()

    address = printed(str(number), "M 7", "--write", "--person", "Ama")

    start = "https://resend.example.org/embed/members/M%207/communications/?token="
    assert address.startswith(start)
    token = address.removeprefix(start).replace("%3A", ":")
    assert embed.read_token(token, member.external_id).may_write
    with pytest.raises(CommandError, match="has no member “M 7”"):
        printed(str(theirs.organization.pk), "M 7")
    with pytest.raises(CommandError, match="between 1 and 60"):
        printed(str(number), "M 7", "--minutes", "600")


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("GET /embed/members/M7/communications/?token=eyJvIjox:1:abc&older=x", ()),
        ("%s %s", ("GET", "/embed/?a=1&TOKEN=eyJvIjox:1:abc HTTP/1.1")),
    ],
)
def test_no_log_has_a_token(message: str, arguments: tuple[str, ...]) -> None:
    record = logging.LogRecord("x", logging.INFO, "", 1, message, arguments, None)

    assert HideTokens().filter(record)

    assert "eyJvIjox" not in record.getMessage()
    assert "=…" in record.getMessage()


def test_every_handler_hides_tokens(settings: Settings) -> None:
    for handler in settings.LOGGING["handlers"].values():
        assert "hide_tokens" in handler["filters"]


@pytest.mark.parametrize(
    ("origin", "is_fine"),
    [
        ("https://desk.example.org", True),
        ("http://localhost:8080", True),
        ("https://desk.example.org/", False),
        ("https://*.example.org", False),
        ("desk.example.org", False),
        ("'self'; script-src *", False),
    ],
)
def test_only_origins_may_be_ancestors(
    settings: Settings, origin: str, is_fine: bool
) -> None:
    settings.EMBED_ANCESTORS = [origin]

    assert (check_embedding() == []) is is_fine
