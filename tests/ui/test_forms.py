from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django import forms
from django.utils import timezone

from resend_admin.ui.forms import DateTimeLocalField, LongSelect, Renderer


class RunForm(forms.Form):
    run_at = DateTimeLocalField(label="Run at")
    note = forms.CharField(label="Note", help_text="Only <b>your</b> team sees it.")
    sure = forms.BooleanField(label="I am sure")
    when = forms.ChoiceField(
        label="When", widget=forms.RadioSelect, choices=[("now", "Now")]
    )


def error_of(value: str, zone: str = "Europe/Amsterdam") -> str:
    with timezone.override(zone):
        form = RunForm({"run_at": value})
        return str(form.errors["run_at"][0])


def test_the_time_is_read_in_the_viewers_zone() -> None:
    with timezone.override("Europe/Amsterdam"):
        cleaned = DateTimeLocalField().clean("2026-12-01T18:30")
    assert cleaned == datetime(2026, 12, 1, 17, 30, tzinfo=UTC)


def test_a_time_that_the_clock_change_leaves_out_is_explained() -> None:
    assert error_of("2027-03-28T02:30") == (
        "28 March 2027 at 02:30 does not exist in Europe/Amsterdam: the clocks go "
        "forward from 02:00 to 03:00. Choose an earlier or a later time."
    )


def test_a_time_that_comes_twice_is_explained() -> None:
    assert error_of("2026-10-25T02:30") == (
        "25 October 2026 at 02:30 comes twice in Europe/Amsterdam: the clocks go back "
        "from 03:00 to 02:00. Choose a time before 02:00 or from 03:00 on."
    )


@pytest.mark.parametrize(
    ("value", "zone", "words"),
    [
        ("2026-10-04T02:10", "Australia/Lord_Howe", "from 02:00 to 02:30"),
        ("2026-04-05T01:45", "Australia/Lord_Howe", "from 02:00 to 01:30"),
        ("2026-03-08T02:00", "America/New_York", "from 02:00 to 03:00"),
        ("2026-11-01T01:59", "America/New_York", "from 02:00 to 01:00"),
    ],
)
def test_other_clock_changes_are_named_as_they_are(
    value: str, zone: str, words: str
) -> None:
    assert words in error_of(value, zone)


@pytest.mark.parametrize("value", ["", "soon", "2026-13-45T99:99"])
def test_what_is_no_time_is_answered_with_an_example(value: str) -> None:
    assert error_of(value).startswith("Enter a date and time, for example ")
    assert error_of(value).endswith(" at 18:30.")


def test_an_optional_time_may_be_empty() -> None:
    assert DateTimeLocalField(required=False).clean("") is None


def test_the_help_names_the_zone_of_the_moment_it_is_shown() -> None:
    form = RunForm()
    with timezone.override("Asia/Tokyo"):
        assert "Your time zone: Asia/Tokyo (UTC+09:00)" in form.as_div()


def test_an_initial_time_is_shown_in_the_viewers_zone_to_the_minute() -> None:
    moment = datetime(2026, 12, 1, 17, 30, 42, tzinfo=UTC)
    with timezone.override("Europe/Amsterdam"):
        html = str(RunForm(initial={"run_at": moment})["run_at"])
    assert 'value="2026-12-01T18:30"' in html
    assert 'type="datetime-local"' in html


def test_a_field_is_label_input_help_and_error_in_this_order() -> None:
    html = RunForm({"note": ""})["note"].as_field_group()
    parts = ["<label", "<input", 'id="id_note_helptext"', 'id="id_note_error"']
    places = [html.index(part) for part in parts]
    assert places == sorted(places)
    assert 'aria-describedby="id_note_helptext id_note_error"' in html
    assert 'aria-invalid="true"' in html


def test_help_is_text_and_not_markup() -> None:
    assert "&lt;b&gt;" in RunForm()["note"].as_field_group()


def test_choices_are_a_group_with_a_legend_and_a_box_stands_before_its_label() -> None:
    form = RunForm()
    assert "<legend>When</legend>" in form["when"].as_field_group()
    box = form["sure"].as_field_group()
    assert box.index("<input") < box.index("I am sure")


def test_a_long_choice_says_what_djangos_own_says() -> None:
    choices = [
        ("", "None of these"),
        ("Europe", [("a", "A & B"), ("<b>", "Second")]),
        (3, "Third"),
    ]
    for value in ("", "a", "<b>", 3, "missing"):
        long = LongSelect({"required": True}, choices)
        short = forms.Select({"required": True}, choices)
        long_text = long.render("zone", value, {"id": "zone"}, Renderer())
        short_text = short.render("zone", value, {"id": "zone"}, Renderer())
        assert _without_space(long_text) == _without_space(short_text)


def _without_space(text: str) -> str:
    return "".join(text.split())
