"""The main job without its pages: real HTTP, and the sandbox's log as witness."""

from __future__ import annotations

from collections import Counter

import pytest

from broadcasts import chain, retry, run
from broadcasts.models import Broadcast
from messaging.dispatch import pulse, pump
from messaging.models import Integration
from resend_admin.sandbox.thread import Sandbox
from tests.broadcasts.factories import (
    make_due,
    retried,
    route,
    rows_of,
    scheduled,
)
from tests.factories import World


@pytest.fixture
def bot(ours: World, sandbox: Sandbox) -> Integration:
    pulse.beat()
    return ours.integration(
        "telegram_bot", settings={"base_url": sandbox.base_url("telegram_bot")}
    )


def run_through(broadcast: Broadcast, bot: Integration) -> None:
    make_due(broadcast)
    run.tick()
    pump.run(bot.pk)
    run.tick()
    broadcast.refresh_from_db()
    assert broadcast.state == "completed"


@pytest.mark.django_db(transaction=True)
def test_a_retry_reaches_those_whom_the_first_run_missed(
    ours: World, bot: Integration, sandbox: Sandbox
) -> None:
    endings = ["0001", "0001", "0004", "0004", "0006"]
    chats = [f"{place}7{ending}" for place, ending in enumerate(endings, start=1)]
    for chat in chats:
        ours.contact(telegram_chat_id=chat, phone="")
    source = scheduled(ours, routes=[route(bot, ours.template())])

    run_through(source, bot)

    offer = retry.offer(source)
    assert (offer.count, offer.unknown_count) == (3, 0)
    assert [(one.count, one.entry.error_class) for one in offer.causes] == [
        (2, "retry"),
        (1, "never"),
    ]

    again = retried(source, ours)
    run_through(again, bot)

    blocked = rows_of(again).get(state="failed")
    assert blocked.recipient == chats[-1]
    summary = chain.summary(again)
    title = summary.causes[0].entry.title
    assert summary.sentence == f"5 aimed, 4 reached in 2 runs, 1 failed ({title})"
    accepted = Counter(entry.recipient for entry in sandbox.accepted())
    assert accepted == Counter(chats[:-1])
    # Whoever is still not reached can be tried once more, from either page.
    assert retry.state(source).count == retry.state(again).count == 1
