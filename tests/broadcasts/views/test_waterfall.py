"""All runs together: each person once, and the steps use up the whole."""

from __future__ import annotations

from typing import Any

from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from broadcasts import chain
from broadcasts.models import Broadcast
from broadcasts.views import waterfall
from messaging.models import Message
from messaging.models.message import REACHED_STATES
from tests.broadcasts.factories import (
    BLOCKED,
    finished,
    outcomes,
    retried,
    rows_of,
    stand,
    started,
)
from tests.broadcasts.test_chain import (
    OUTCOMES,
    SLOW,
    STEP,
    arrive_late,
    by_rows,
    run_to,
    take,
)
from tests.broadcasts.views.pages import html_of, text_of, url_of
from tests.factories import World, world


def steps(broadcast: Broadcast) -> dict[str, int]:
    found = waterfall.steps_of(chain.summary(broadcast))
    return {one.label: one.value for one in found if one.value}


def story(ours: World) -> list[Broadcast]:
    """Ten aimed at: seven at first, two by retries, one who blocked the bot."""
    source = finished(ours, *["delivered"] * 7, *["failed"] * 3, name="Renewal")
    first = run_to(retried(source, ours), "delivered", "failed", "failed")
    second = run_to(retried(first, ours), "delivered", "failed")
    stand(rows_of(second).filter(state="failed"), "failed", BLOCKED)
    return [source, first, second]


def test_everybody_stands_in_one_step(ours: World) -> None:
    for one in story(ours):
        assert steps(one) == {
            "Reached at first": 7,
            "By retry 1": 1,
            "By retry 2": 1,
            "Will never be reached": 1,
        }


def test_what_may_still_arrive_is_told_apart(ours: World) -> None:
    source = finished(
        ours, "delivered", "failed", "failed", "unknown", "skipped", "failed"
    )
    stand(rows_of(source).filter(pk=rows_of(source)[1].pk), "failed", BLOCKED)
    again = started(retried(source, ours))
    assert steps(source) == {
        "Reached at first": 1,
        "Waiting": 3,
        "Unknown": 1,
        "Skipped": 1,
    }

    outcomes(again, "failed", "delivered", "cancelled")

    assert steps(source) == {
        "Reached at first": 1,
        "By retry 1": 1,
        "Unknown": 1,
        "Failed, may be retried": 2,
        "Skipped": 1,
    }


def test_every_run_shows_all_runs_with_sentence_table_and_file(
    ours: World, agent: Client
) -> None:
    runs = story(ours)
    for one in runs:
        page = agent.get(url_of("detail", one))

        assert "10 aimed, 9 reached in 3 runs, 1 failed" in text_of(page)
        assert "Reached at first" in text_of(page)
        others = [url_of("detail", other) for other in runs if other != one]
        chart = html_of(page).split('id="waterfall"')[1].split("</section>")[0]
        assert all(f'href="{url}"' in chart for url in others)
        assert "Aimed at 10 100 % Reached at first 7 70 %" in text_of(page)

        written: Any = agent.get(url_of("chain-csv", one))
        lines = b"".join(written.streaming_content).decode().splitlines()
        assert lines[1:] == [
            "Aimed at,10,100.0",
            "Reached at first,7,70.0",
            "By retry 1,1,10.0",
            "By retry 2,1,10.0",
            "Will never be reached,1,10.0",
        ]


def test_one_run_alone_has_no_waterfall(ours: World, agent: Client) -> None:
    alone = finished(ours, "delivered", "failed")

    assert 'id="waterfall"' not in html_of(agent.get(url_of("detail", alone)))
    assert 'id="waterfall"' not in html_of(agent.get(url_of("chain", alone)))


def test_it_follows_while_a_run_is_under_way(ours: World, agent: Client) -> None:
    source = finished(ours, "failed", "failed")
    again = started(retried(source, ours))
    page = agent.get(url_of("detail", source))
    url = page.context["chain_url"]
    assert 'hx-trigger="every 10s"' in html_of(page).split('id="chain"')[1][:300]
    assert agent.get(url).status_code == 204

    outcomes(again, "delivered", "failed")
    moved = agent.get(url)

    assert moved.status_code == 200
    assert "By retry 1" in text_of(moved)
    assert "hx-trigger" not in html_of(moved)


def test_another_organization_has_no_way_in(ours: World, stranger: Client) -> None:
    own = story(ours)[0]

    for name in ("chain", "chain-csv"):
        assert stranger.get(url_of(name, own)).status_code == 404


def test_somebody_counted_twice_for_a_moment_breaks_nothing(ours: World) -> None:
    source = finished(ours, "failed", "failed")
    run_to(retried(source, ours), "delivered", "delivered")
    # A receipt that has been applied, and is not noted along the chain yet.
    stand(Message.objects.filter(pk=rows_of(source)[0].pk), "delivered")

    card = waterfall.card(chain.summary(source), "")

    assert not card.drawing.is_empty


@SLOW
@given(
    first=st.lists(OUTCOMES, min_size=3, max_size=6),
    story=st.lists(STEP, max_size=4),
)
def test_the_steps_use_up_the_whole_whatever_happened(
    db: None, first: list[str], story: list[dict[str, Any]]
) -> None:
    ours = world("Ours", credits=0)
    root = finished(ours, *first)
    runs = [root]
    for step in story:
        take(step, runs, ours)
        for place in step["late"]:
            lost = Message.objects.filter(state__in=["failed", "unknown"])
            rows = lost.filter(organization=ours.organization).order_by("pk")
            if place < len(rows):
                arrive_late(rows[place])
        found = list(waterfall.steps_of(chain.summary(root)))
        assert all(one.value >= 0 for one in found)
        assert sum(one.value for one in found) == len(first)
        by_retries = [one.value for one in found[: len(runs)]]
        assert by_retries == [
            rows_of(run).filter(state__in=REACHED_STATES, reached_before=False).count()
            for run in runs
        ]
        assert sum(by_retries) == by_rows(root).get("reached", 0)
        assert found[len(runs)].value == by_rows(root).get("waiting", 0)
