from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resend_admin.ui.csv import safe_cell, stream_csv


def read(header: list[str], rows: list[list[object]]) -> list[list[str]]:
    body = b"".join(stream_csv("x.csv", header, rows)).decode("utf-8")
    return list(csv.reader(io.StringIO(body, newline="")))


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+31612345678", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＠x"],
)
def test_text_that_could_run_as_a_formula_is_defused(text: str) -> None:
    assert read(["Name"], [[text]])[1] == [f"'{text}"]


@pytest.mark.parametrize("value", [0, -5, 31, -2.5, Decimal("-1.20")])
def test_real_numbers_stay_numbers(value: float | Decimal) -> None:
    assert safe_cell(value) == value


def test_a_header_is_defused_as_well() -> None:
    assert read(["=cmd"], []) == [["'=cmd"]]


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_no_text_begins_a_cell_as_a_formula(cells: list[str]) -> None:
    for cell in cells:
        assert not str(safe_cell(cell)).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_nothing_is_an_empty_cell_and_a_moment_is_utc() -> None:
    noon = datetime(2026, 11, 21, 12, 0, 5, tzinfo=UTC)
    assert read(["A", "B"], [[None, noon]])[1] == ["", "2026-11-21T12:00:05Z"]


def test_quotes_commas_and_line_breaks_survive() -> None:
    row: list[object] = ['say "hi"', "a,b", "one\ntwo", "Zoë"]
    assert read(["a", "b", "c", "d"], [row])[1] == row


def test_rows_are_taken_as_they_are_sent() -> None:
    taken = 0

    def endless() -> Iterator[list[object]]:
        nonlocal taken
        while True:
            taken += 1
            yield [taken]

    response = stream_csv("x.csv", ["Number"], endless())
    list(islice(response, 2))
    assert taken < 1000


def test_the_download_has_its_name_and_is_not_kept() -> None:
    response = stream_csv("failed é.csv", ["A"], [])
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith("attachment; filename")
    assert response["Cache-Control"] == "no-store"
    assert b"".join(response) == b"A\r\n"
