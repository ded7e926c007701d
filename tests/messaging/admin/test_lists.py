"""Lists at a million rows: no counting, one query more than shown, only to read."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging.admin.tenancy import ReadOnlyAdmin
from messaging.credits import release_old_holds
from messaging.dispatch import pace
from messaging.models import (
    Attempt,
    Contact,
    CreditAccount,
    CreditEntry,
    Message,
    Receipt,
    Tally,
)
from tests.factories import World
from tests.messaging.admin.rows import OWNED, fill, row_of, text_of, url
from tests.messaging.test_resend import failed
from tests.messaging.views.rows import tried


@pytest.mark.parametrize(
    "model", [Message, Attempt, Receipt, Tally, CreditEntry, CreditAccount]
)
def test_what_the_engine_writes_is_only_read(
    ours: World, manager: Client, operator: Client, model: type[Model]
) -> None:
    fill(ours)
    row = row_of(model, ours)
    assert isinstance(admin.site.get_model_admin(model), ReadOnlyAdmin)

    for client in (manager, operator):
        assert client.get(url(model, "add")).status_code == 403
        assert client.post(url(model, "change", row.pk), {}).status_code == 403
        assert client.post(url(model, "delete", row.pk)).status_code == 403


def test_lists_never_count_and_cost_the_same(ours: World, operator: Client) -> None:
    def queries(model: type[Model], query: str = "") -> list[str]:
        address = f"{url(model, 'changelist')}{query}"
        operator.get(address)
        with CaptureQueriesContext(connection) as captured:
            response = operator.get(address)
        assert response.status_code == 200
        return [one["sql"] for one in captured.captured_queries]

    for _ in range(3):
        fill(ours)
    cost = {model: len(queries(model)) for model in OWNED}
    for model in OWNED:
        for query in ("", "?q=1", "?all=", "?p=1"):
            told = queries(model, query)
            assert not [sql for sql in told if "COUNT(" in sql.upper()], model
    for _ in range(5):
        fill(ours)
    assert {model: len(queries(model)) for model in OWNED} == cost


def test_pages_of_a_list_follow_each_other(ours: World, operator: Client) -> None:
    integration, content = ours.integration(), ours.text()
    made = [
        ours.message(integration=integration, content=content).pk for _ in range(110)
    ]
    address = url(Message, "changelist")

    def listed(query: str) -> list[int]:
        text = text_of(operator, f"{address}{query}")
        return [int(one) for one in re.findall(r"/message/(\d+)/change/", text)]

    pages = [listed(f"?p={number}") for number in (1, 2, 3)]

    assert [len(set(page)) for page in pages] == [50, 50, 10]
    assert [*pages[0], *pages[1], *pages[2]] == list(reversed(made))
    assert "and there is more" in text_of(operator, address)
    assert "110 messages" in text_of(operator, f"{address}?p=3")
    assert len(set(listed("?all="))) == 50
    assert operator.get(f"{address}?p=9").status_code == 302


def test_names_cannot_carry_markup(ours: World, operator: Client) -> None:
    member = ours.contact(name="<script>alert(1)</script>")
    tried(ours, "failed", contact=member)

    for address in (
        url(Message, "changelist"),
        url(Contact, "changelist"),
        url(Contact, "change", member.pk),
    ):
        assert "<script>alert(1)" not in text_of(operator, address)


def test_the_ledger_finds_the_lines_of_a_message_that_is_gone(
    ours: World, operator: Client
) -> None:
    integration = ours.integration()
    pace.prepare(integration.pk)
    message, other = (
        failed(ours, integration, state="sent", code="", error_class="")
        for _ in range(2)
    )
    attempt = message.attempts.get()
    Attempt.objects.update(opened_at=timezone.now() - timedelta(days=31))
    release_old_holds(ours.organization)
    address = url(CreditEntry, "changelist")

    def found(number: int) -> list[str]:
        text = text_of(operator, f"{address}?q={number}")
        return sorted(re.findall(r'field-step">(\w+)', text))

    for _ in ("kept", "gone"):
        assert found(message.pk) == found(attempt.pk) == ["Hold", "Release"]
        assert found(message.pk + other.pk) == []
        Attempt.objects.filter(message=message).delete()
        message.delete()
        message.pk = attempt.message_id
