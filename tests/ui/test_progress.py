from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resend_admin.ui.progress import LEAST_WIDTH, Progress, Segment

SENDING = Progress(
    total=48_210,
    segments=[
        Segment("Delivered", 45_698, "d1"),
        Segment("Waiting to retry", 1_122, "d3"),
        Segment("Failed", 214, "d4"),
        Segment("Not tried yet", 1_176, "rest"),
    ],
)


def test_what_waits_or_is_untried_is_not_settled() -> None:
    assert SENDING.settled == 45_912
    assert SENDING.percent == "95\u202f%"
    assert SENDING.percent_now == 95


def test_the_sentence_tells_the_bar_to_those_who_do_not_see_it() -> None:
    assert SENDING.sentence == (
        "45,912 of 48,210 messages settled: 45,698 delivered, "
        "1,122 waiting to retry, 214 failed, 1,176 not tried yet"
    )


def test_what_was_not_tried_is_not_drawn() -> None:
    assert [bar.colour for bar in SENDING.bars] == ["d1", "d3", "d4"]


def test_one_failure_among_a_million_can_be_seen() -> None:
    progress = Progress(
        1_000_000, [Segment("Delivered", 999_999, "d1"), Segment("Failed", 1, "d4")]
    )
    delivered, failed = progress.bars
    assert failed.width == f"{LEAST_WIDTH:.2f}%"
    assert delivered.width == f"{100 - LEAST_WIDTH:.2f}%"


def test_a_broadcast_without_members_has_an_empty_bar() -> None:
    empty = Progress(0, [Segment("Delivered", 0, "d1")])
    assert empty.bars == []
    assert empty.percent_now == 0


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=5))
def test_bars_join_and_end_where_the_counts_end(counts: list[int]) -> None:
    total = sum(counts) or 1
    progress = Progress(total, [Segment("A", count, "d1") for count in counts])
    edge = 0.0
    for bar in progress.bars:
        assert float(bar.left[:-1]) == pytest.approx(edge, abs=0.05)
        edge += float(bar.width[:-1])
    if sum(counts):
        assert edge == pytest.approx(100, abs=0.1)
