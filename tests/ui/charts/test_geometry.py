"""Whatever the numbers are: nothing leaves its plot, nothing overlaps, nothing lies."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import isfinite

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resend_admin.ui.charts import (
    Bar,
    Column,
    Histogram,
    HorizontalBars,
    Marker,
    Part,
    Row,
    Series,
    StackedColumns,
    Step,
    VerticalBars,
    Waterfall,
)
from resend_admin.ui.charts.columns import Place, labelled, places
from resend_admin.ui.charts.rows import LEAST_WIDTH
from resend_admin.ui.charts.scale import (
    BASE,
    HEIGHT,
    LEAST,
    TOP,
    compact,
    count_ticks,
    percent_ticks,
)
from resend_admin.ui.charts.stack import MOST_DRAWN_TIPS

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Four hundred days are drawn more slowly while other tests run."""
counts = st.integers(0, 10_000_000)
shares = st.floats(0, 100, allow_subnormal=False)
COLOURS = ("d1", "d2", "d3", "d5", "d4")


def series(number: int) -> list[Series]:
    return [Series(f"Layer {one}", COLOURS[one]) for one in range(number)]


def stack(rows: Sequence[Sequence[int]], layers: int = 0) -> StackedColumns:
    layers = layers or (len(rows[0]) if rows else 1)
    columns = [Column(f"{at}", f"Day {at}", row) for at, row in enumerate(rows)]
    return StackedColumns(series(layers), columns, "All of it.")


stacks = st.integers(1, 5).flatmap(
    lambda layers: st.lists(
        st.lists(counts, min_size=layers, max_size=layers), min_size=1, max_size=400
    )
)


def assert_apart(found: Sequence[Place]) -> None:
    edge = 0.0
    for place in found:
        assert place.x >= edge - 1e-9
        assert place.width > 0
        edge = place.x + place.width
    assert edge <= 100 + 1e-9


# The axis


@patient
@given(counts)
def test_guide_lines_are_even_whole_and_reach_the_largest(largest: int) -> None:
    ticks = count_ticks(largest)
    values = [tick.value for tick in ticks]

    assert values[0] == 0
    assert values[-1] >= largest
    assert 2 <= len(ticks) <= 5
    steps = {after - before for before, after in pairwise(values)}
    assert len(steps) == 1
    assert all(value == int(value) for value in values)
    assert len({tick.label for tick in ticks}) == len(ticks)
    assert ticks[0].y == BASE
    assert ticks[-1].y == pytest.approx(TOP)


@patient
@given(st.integers(100, 10_000_000))
def test_no_axis_is_much_higher_than_what_it_shows(largest: int) -> None:
    assert count_ticks(largest)[-1].value <= largest * 2


def test_shares_always_stand_before_a_hundred() -> None:
    assert [tick.value for tick in percent_ticks()] == [0, 25, 50, 75, 100]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1_000, "1k"),
        (1_250, "1.2k"),
        (47_999, "47k"),
        (999_999, "999k"),
        (2_500_000, "2.5M"),
        (10_000_000, "10M"),
        (3e9, "3B"),
    ],
)
def test_counts_in_short_are_cut(value: float, text: str) -> None:
    assert compact(value) == text


@patient
@given(counts)
def test_counts_in_short_fit_below_a_column(value: int) -> None:
    assert len(compact(value)) <= 4


# Columns


@patient
@given(st.integers(0, 400), st.floats(0, 0.9), st.lists(st.integers(0, 400)))
def test_columns_do_not_overlap(number: int, gap: float, apart: list[int]) -> None:
    found = places(number, gap, apart)

    assert len(found) == number
    assert_apart(found)
    assert all(
        place.left <= place.x
        and place.x + place.width <= place.left + place.room + 1e-9
        for place in found
    )


@patient
@given(st.integers(1, 400), st.integers(1, 12))
def test_labels_are_few_and_evenly_apart(number: int, most: int) -> None:
    chosen = labelled(number, most)

    assert chosen[0] == 0
    assert len(chosen) <= most
    distances = {b - a for a, b in pairwise(chosen)}
    assert len(distances) <= 1


# Bars


@patient
@given(st.lists(st.none() | shares, max_size=12), st.booleans())
def test_bars_are_as_high_as_their_share(
    values: list[float | None], stands_apart: bool
) -> None:
    bars = [Bar("x", value, stands_apart=stands_apart) for value in values]
    marks = VerticalBars(bars, "", in_percent=True).marks

    assert [mark.bar for mark in marks] == bars
    assert_apart([mark.place for mark in marks])
    for mark in marks:
        value = mark.bar.value
        assert isfinite(mark.y)
        assert mark.y >= TOP - 1e-9
        assert mark.y + mark.height == pytest.approx(BASE)
        if not value:
            assert mark.height == 0
        else:
            assert mark.height == pytest.approx(max(HEIGHT * value / 100, LEAST))


def test_what_is_not_known_is_no_zero() -> None:
    known, unknown = VerticalBars([Bar("a", 0), Bar("b", None)], "").marks

    assert (known.text, unknown.text) == ("0", "–")


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf")])
def test_what_cannot_be_drawn_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="cannot draw"):
        VerticalBars([Bar("a", value)], "")
    with pytest.raises(ValueError, match="cannot draw"):
        HorizontalBars([Row("a", "", [Part(value, "d1")])], "")


# Histograms


@patient
@given(st.lists(counts, min_size=1, max_size=12), st.lists(st.floats(-2, 20)))
def test_bars_of_a_histogram_compare_and_markers_stay_inside(
    values: list[int], markers: list[float]
) -> None:
    chart = Histogram(
        [Bar("x", value) for value in values],
        "",
        [Marker("m", marker) for marker in markers],
    )
    marks = [mark.bar for mark in chart.marks]
    top = chart.ticks[-1].value

    assert_apart([mark.place for mark in marks])
    assert 0 < sum(mark.has_label for mark in chart.marks) <= 8
    for mark, value in zip(marks, values, strict=True):
        expected = max(HEIGHT * value / top, LEAST) if value else 0
        assert mark.height == pytest.approx(expected)
        assert mark.y >= TOP - 1e-9
    drawn = [marker.x for marker in chart.marker_marks]
    assert len(drawn) == len(markers)
    assert drawn == sorted(drawn)
    assert all(0 <= x <= 100 + 1e-9 for x in drawn)


def test_a_marker_stands_where_it_belongs() -> None:
    chart = Histogram(
        [Bar("x", 1)] * 10, "", [Marker("late", 9.5), Marker("early", 2.5)]
    )

    early, late = chart.marker_marks
    assert (early.label, late.label) == ("early", "late")
    assert early.x == pytest.approx(25)
    assert late.x == pytest.approx(95)
    assert (early.anchor, late.anchor) == ("start", "end")
    assert early.label_y != late.label_y


# Stacks


@patient
@given(stacks)
def test_a_stack_is_as_high_as_its_total(rows: list[list[int]]) -> None:
    chart = stack(rows)
    top = chart.ticks[-1].value
    by_place: dict[float, list[tuple[float, float, str]]] = {}
    for piece in chart.pieces:
        assert all(isfinite(one) for one in piece[1:])
        assert 0 <= piece.x <= piece.x + piece.width <= 100 + 1e-9
        by_place.setdefault(piece.x, []).append((piece.y, piece.height, piece.colour))
    for place, row in zip(chart.places, rows, strict=True):
        found = by_place.pop(place.x, [])
        assert [one[2] for one in found] == [
            COLOURS[at] for at, value in enumerate(row) if value
        ]
        edge = BASE
        for y, height, _ in found:
            assert height >= LEAST - 1e-9
            assert y + height == pytest.approx(edge)
            edge = y
        drawn = HEIGHT * sum(row) / top
        assert drawn - 1e-6 <= BASE - edge <= max(drawn, 2 * LEAST * len(row)) + 1e-6
        assert edge >= TOP - 1e-6
    assert by_place == {}


@patient
@given(stacks)
def test_columns_that_can_show_every_layer_end_exactly_at_their_total(
    rows: list[list[int]],
) -> None:
    chart = stack(rows)
    top = chart.ticks[-1].value
    edges: dict[float, float] = {}
    for piece in chart.pieces:
        edges[piece.x] = min(edges.get(piece.x, BASE), piece.y)
    for place, row in zip(chart.places, rows, strict=True):
        drawn = HEIGHT * sum(row) / top
        if drawn >= LEAST * 2 * len(row):
            assert BASE - edges[place.x] == pytest.approx(drawn)


@patient
@given(stacks)
def test_every_column_tells_its_numbers(rows: list[list[int]]) -> None:
    chart = stack(rows)

    assert len(chart.tips) == len(rows)
    for tip, row in zip(chart.tips, rows, strict=True):
        told = [value for value in reversed(row) if value]
        assert [line.text.split(": ")[1] for line in tip.lines if line.colour] == [
            f"{value:,}" for value in told
        ]
        assert (tip.words.endswith("No messages")) is (not told)


def test_four_hundred_days_join_without_gaps() -> None:
    chart = stack([[1, 2]] * 400)
    first, second = chart.places[:2]

    assert chart.is_dense
    assert not chart.has_drawn_tips
    assert first.x + first.width == pytest.approx(second.x)
    assert len(chart.labels) <= 8


def test_a_month_has_gaps_and_drawn_tips() -> None:
    chart = stack([[1, 2]] * 31)
    first, second = chart.places[:2]

    assert not chart.is_dense
    assert chart.has_drawn_tips
    assert len(chart.tips) <= MOST_DRAWN_TIPS
    assert second.x - first.x - first.width > 0.3


def test_one_among_ten_million_is_seen_and_nobody_is_added() -> None:
    large, small = stack([[9_999_999, 1]]).pieces

    assert small.height == LEAST
    assert large.height + small.height == pytest.approx(HEIGHT)


def test_a_column_needs_a_value_for_each_layer() -> None:
    with pytest.raises(ValueError, match="needs 2 values"):
        stack([[1, 2, 3]], layers=2)


def test_nothing_at_all_is_empty() -> None:
    assert stack([]).is_empty
    assert stack([[0, 0]]).is_empty
    assert stack([[0, 0]]).pieces == []
    assert not stack([[0, 1]]).is_empty
    assert VerticalBars([], "").is_empty
    assert not VerticalBars([Bar("a", 0)], "").is_empty
    assert Histogram([Bar("a", 0)], "").is_empty
    assert Histogram([], "", [Marker("m", 1)]).marker_marks == []


# Lying bars


@patient
@given(st.lists(st.lists(counts, max_size=5), max_size=12))
def test_lying_bars_stay_on_their_line(rows: list[list[int]]) -> None:
    chart = HorizontalBars(
        [Row("x", "", [Part(value, "d1") for value in row]) for row in rows], ""
    )
    longest = max((sum(row) for row in rows), default=0)

    assert [mark.row for mark in chart.marks] == list(chart.rows)
    for mark, row in zip(chart.marks, rows, strict=True):
        edge = 0.0
        for strip in mark.strips:
            assert strip.x == pytest.approx(edge)
            assert strip.width >= LEAST_WIDTH - 1e-9
            edge = strip.x + strip.width
        assert len(mark.strips) == sum(1 for value in row if value)
        if longest:
            true = 100 * sum(row) / longest
            assert edge <= max(true, LEAST_WIDTH * len(row)) + LEAST_WIDTH * len(row)
            if true >= 2 * LEAST_WIDTH * len(row):
                assert edge == pytest.approx(true)


def test_a_share_is_drawn_on_a_line_of_a_hundred() -> None:
    (mark,) = HorizontalBars([Row("x", "", [Part(40, "d1")])], "", whole=100).marks

    assert mark.strips[0].width == pytest.approx(40)


# Waterfalls


@patient
@given(st.lists(counts, max_size=8), counts)
def test_everybody_is_in_a_waterfall_once(values: list[int], others: int) -> None:
    whole = sum(values) + others
    chart = Waterfall(
        Step("Aimed at", whole, "rest"),
        [Step(f"Step {at}", value, "d1") for at, value in enumerate(values)],
        "",
    )
    first, *steps = chart.marks

    assert first.step is chart.whole
    assert [mark.step.value for mark in steps] == [value for value in values if value]
    before = 0.0
    for mark in steps:
        assert 0 <= mark.x <= mark.x + mark.width <= 100 + 1e-9
        if before + LEAST_WIDTH <= 100:
            assert mark.x == pytest.approx(before)
        true = 100 * mark.step.value / whole
        assert mark.width == pytest.approx(max(true, LEAST_WIDTH))
        assert mark.ends_at == pytest.approx(before + true)
        before = mark.ends_at
    assert before == pytest.approx(100 * sum(values) / whole if whole else 0)
    assert [mark.is_last for mark in chart.marks] == [False] * len(steps) + [True]


def test_steps_beyond_the_whole_are_a_fault() -> None:
    with pytest.raises(ValueError, match="more than the whole"):
        Waterfall(Step("Aimed at", 3, "rest"), [Step("Reached", 4, "d1")], "")


def test_steps_of_nothing_can_be_kept() -> None:
    steps = [Step("Reached", 0, "d1"), Step("Unknown", 0, "d5")]
    chart = Waterfall(Step("Aimed at", 0, "rest"), steps, "", keeps_empty=True)

    assert chart.is_empty
    assert [mark.step.label for mark in chart.marks] == [
        "Aimed at",
        "Reached",
        "Unknown",
    ]
