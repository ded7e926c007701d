from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from resend_admin.ui.charts.table import Cell, Share, Table, shown, written
from resend_admin.ui.durations import duration_text


@pytest.mark.parametrize(
    ("cell", "on_the_page", "in_the_file"),
    [
        (None, "–", None),
        ("Retry 1", "Retry 1", "Retry 1"),
        ("<10\u202fs", "<10\u202fs", "<10 s"),
        (12_345, "12,345", 12_345),
        (Share(41, 50), "82\u202f%", 82.0),
        (Share(1, 3), "33\u202f%", 33.3),
        (Share(0, 0), "–", None),
        (date(2026, 11, 7), "Sat 7 Nov 2026", "2026-11-07"),
        (timedelta(minutes=2, seconds=6), "2.1\u202fmin", 126),
        (Decimal("1234.5000"), "1,234.5", Decimal("1234.5000")),
        (Decimal(100), "100", Decimal(100)),
    ],
)
def test_a_cell_is_read_by_people_and_by_programs(
    cell: Cell, on_the_page: str, in_the_file: object
) -> None:
    assert shown(cell) == on_the_page
    assert written(cell) == in_the_file


def test_numbers_stand_to_the_right_and_the_file_names_their_units() -> None:
    table = Table(
        ["Resend", "Tries", "Success rate", "Time"],
        [
            ["First send", 10, Share(8, 10), None],
            ["Retry 1", 2, Share(0, 0), timedelta(seconds=90)],
        ],
    )

    assert table.numbers == [False, True, True, True]
    assert table.written_head == [
        "Resend",
        "Tries",
        "Success rate (percent)",
        "Time (seconds)",
    ]
    assert table.written_rows == [
        ["First send", 10, 80.0, None],
        ["Retry 1", 2, None, 90],
    ]
    assert [cell.text for cell in table.shown_rows[1]] == [
        "Retry 1",
        "2",
        "–",
        "1.5\u202fmin",
    ]


def test_a_table_of_nothing() -> None:
    assert Table([], []).shown_rows == []
    assert Table(["A"], []).numbers == [False]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0 s"),
        (0.4, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (126, "2.1 min"),
        (597, "10 min"),
        (34 * 60 + 40, "35 min"),
        (3_599, "60 min"),
        (3_600, "1 h"),
        (5_400, "1.5 h"),
        (129_600, "1.5 d"),
        (864_000, "10 d"),
    ],
)
def test_durations_as_people_say_them(seconds: float, text: str) -> None:
    assert duration_text(timedelta(seconds=seconds)) == text.replace(" ", "\u202f")
