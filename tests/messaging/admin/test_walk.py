"""Every address of Django admin × everybody who may come × the other organization."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.urls import URLPattern, URLResolver, reverse

from tests.factories import World
from tests.messaging.admin.rows import OWNED, fill, row_of
from tests.test_walk import (
    LOG_IN,
    NOT_FOUND,
    OPENS,
    REFUSED,
    ROLES,
    Visitor,
    complaints,
    met,
    visitor,
)

pytestmark = pytest.mark.django_db

SEEN: Final = {
    "broadcasts.broadcast",
    "broadcasts.frozenmembers",
    "messaging.apiclientpace",
    "messaging.attempt",
    "messaging.auditentry",
    "messaging.audiojob",
    "messaging.bulkresend",
    "messaging.bulkresenditem",
    "messaging.bulkresendoutcome",
    "messaging.bulkresendrefusal",
    "messaging.counteddelivery",
    "messaging.creditaccount",
    "messaging.creditentry",
    "messaging.dailyfigure",
    "messaging.devicehealth",
    "messaging.endedbroadcast",
    "messaging.followup",
    "messaging.inboundmessage",
    "messaging.integrationpace",
    "messaging.keptanswer",
    "messaging.message",
    "messaging.meter",
    "messaging.receipt",
    "messaging.recovery",
    "messaging.recoverycode",
    "messaging.retransmissionrequest",
    "messaging.secondfactor",
    "messaging.session",
    "messaging.tally",
    "messaging.webhookdelivery",
    "messaging.webhookendpoint",
    "messaging.webhookevent",
    "messaging.webhookhealth",
    "messaging.webhookrecovery",
    "messaging.webhooksecret",
}
"""Admins of an organization look at these and no more."""
CHANGED: Final = {"messaging.organization", "messaging.stoppedretry"}
"""They change them, and make none."""
ADDED: Final = {
    "broadcasts.flow",
    "messaging.apiclient",
    "messaging.automaticretry",
    "messaging.contact",
    "messaging.content",
    "messaging.integration",
    "messaging.user",
}
"""They make and change them."""
OPERATORS: Final = {
    "messaging.pulse",
    "messaging.signinpace",
    "messaging.webhookcourier",
}
"""Of no organization."""
DELETED: Final = {"messaging.contact", "messaging.session"}
MADE_BY_OPERATORS: Final = ADDED | {"messaging.organization"}

OF_THE_SITE: Final = {
    "index": OPENS,
    "jsi18n": OPENS,
    "password_change_done": OPENS,
}
ELSEWHERE: Final = {
    "login",
    "logout",
    "autocomplete",
    "view_on_site",
    "app_list",
    "password_change",
}
"""Walked in their own way below."""
VERBS: Final = {
    "messaging_apiclient_rotate",
    "messaging_apiclient_bearer",
    "messaging_apiclient_bearer_remove",
    "messaging_apiclient_revoke",
    "messaging_creditaccount_top_up",
    "auth_user_password_change",
    "messaging_user_end_sessions",
    "messaging_user_reset_second_step",
}
"""What admins do to a row beyond changing it."""
VERBS_OF_OPERATORS: Final = {"messaging_creditaccount_top_up"}
ENTERS: Final = {"operator", "admin"}


def names(patterns: list[Any] | None = None) -> Iterator[str]:
    for one in admin.site.urls[0] if patterns is None else patterns:
        if isinstance(one, URLResolver):
            yield from names(one.url_patterns)
        elif isinstance(one, URLPattern) and one.name:
            yield one.name


def label(model: type[Model]) -> str:
    return model._meta.label_lower


def address(model: type[Model], verb: str, *number: int | str) -> str:
    meta = model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{verb}", args=number)


MODELS: Final = sorted(SEEN | CHANGED | ADDED | OPERATORS)


def test_every_model_and_every_address_is_listed() -> None:
    assert sorted(label(model) for model in admin.site._registry) == MODELS
    usual = {
        f"{model._meta.app_label}_{model._meta.model_name}_{verb}"
        for model in admin.site._registry
        for verb in ("changelist", "add", "history", "delete", "change")
    }
    assert set(names()) == usual | set(OF_THE_SITE) | ELSEWHERE | VERBS


@pytest.mark.parametrize("role", ROLES)
def test_the_site_opens_to_operators_and_admins(ours: World, role: str) -> None:
    who = visitor(ours, role)
    expected = OPENS if role in ENTERS else LOG_IN
    wrong: list[str] = []
    for name in OF_THE_SITE:
        wrong += complaints(who, name, reverse(f"admin:{name}"), expected)
    wrong += complaints(
        who, "app_list", reverse("admin:app_list", args=["messaging"]), expected
    )
    wrong += complaints(
        who,
        "view_on_site",
        reverse("admin:view_on_site", args=[1, 1]),
        NOT_FOUND if role in ENTERS else LOG_IN,
    )
    wrong += complaints(
        who, "autocomplete", reverse("admin:autocomplete"), _lists_nothing(role)
    )

    signed_in = role != "stranger" and not role.startswith("program")
    wrong += complaints(
        who,
        "password_change",
        reverse("admin:password_change"),
        OPENS if signed_in else LOG_IN,
    )

    assert wrong == []


def _lists_nothing(role: str) -> str:
    return REFUSED if role in ENTERS else LOG_IN


def expected_of_list(model: str, role: str) -> tuple[str, str]:
    """Return what the list and the form for a new row do."""
    if role not in ENTERS:
        return LOG_IN, LOG_IN
    if role == "operator":
        return OPENS, OPENS if model in MADE_BY_OPERATORS else REFUSED
    return (
        REFUSED if model in OPERATORS else OPENS,
        OPENS if model in ADDED else REFUSED,
    )


@pytest.mark.parametrize("role", ROLES)
def test_lists_and_new_rows(ours: World, role: str) -> None:
    who = visitor(ours, role)
    wrong: list[str] = []
    for name in MODELS:
        model = apps.get_model(name)
        listed, added = expected_of_list(name, role)
        wrong += _looked(who, f"{name} list", address(model, "changelist"), listed)
        wrong += complaints(who, f"{name} add", address(model, "add"), added)

    assert wrong == []


def _looked(who: Visitor, name: str, url: str, expected: str) -> list[str]:
    found = met(who.ask("get", url))
    return [] if found == expected else [f"{name}: {who.role} met {found!r}"]


def expected_of_row(model: str, verb: str, role: str) -> str:
    if role not in ENTERS:
        return LOG_IN
    if verb == "delete" and model not in DELETED:
        return REFUSED
    return OPENS


@pytest.mark.parametrize("role", ROLES)
def test_rows_of_one_organization(ours: World, theirs: World, role: str) -> None:
    for world in (ours, theirs):
        fill(world)
    who = visitor(ours, role)
    wrong: list[str] = []
    for model in OWNED:
        for verb in ("change", "history", "delete"):
            mine = address(model, verb, row_of(model, ours).pk)
            foreign = address(model, verb, row_of(model, theirs).pk)
            name = label(model)
            expected = expected_of_row(name, verb, role)
            wrong += _looked(who, f"{name} {verb}", mine, expected)
            if role == "admin":
                expected = NOT_FOUND
            wrong += _looked(who, f"their {name} {verb}", foreign, expected)
            if role != "operator":
                refused = complaints(who, f"their {name} {verb}", foreign, expected)
                wrong += list(refused)

    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
def test_what_is_done_to_a_row(ours: World, theirs: World, role: str) -> None:
    for world in (ours, theirs):
        fill(world)
    who = visitor(ours, role)
    wrong: list[str] = []
    for name in sorted(VERBS):
        app, model_name, _ = name.split("_", 2)
        model = apps.get_model("messaging" if app == "auth" else app, model_name)
        for world in (ours, theirs):
            url = reverse(f"admin:{name}", args=[row_of(model, world).pk])
            expected = OPENS if role in ENTERS else LOG_IN
            if role == "admin" and name in VERBS_OF_OPERATORS:
                expected = REFUSED
            if role == "admin" and world is theirs:
                expected = NOT_FOUND
            wrong += complaints(who, f"{name} of {world.organization}", url, expected)

    assert wrong == []
