from __future__ import annotations

import pytest

from resend_admin.ui.icons import SHAPES
from resend_admin.ui.pills import (
    BROADCAST_PILLS,
    CHANNELS,
    MESSAGE_PILLS,
    VERDICT_PILLS,
    WAITING_TO_RETRY,
    broadcast_pill,
    message_pill,
    pill_html,
    verdict_pill,
)

ALL_PILLS = [
    *MESSAGE_PILLS.values(),
    *BROADCAST_PILLS.values(),
    *VERDICT_PILLS.values(),
    WAITING_TO_RETRY,
]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("planned", "Scheduled"),
        ("queued", "Queued"),
        ("sending", "Sending"),
        ("sent", "Sent"),
        ("delivered", "Delivered"),
        ("read", "Delivered"),
        ("failed", "Failed"),
        ("unknown", "Unknown"),
        ("skipped", "Skipped"),
        ("cancelled", "Cancelled"),
    ],
)
def test_a_message_state_has_the_words_a_person_reads(state: str, words: str) -> None:
    assert message_pill(state).label == words


def test_a_queued_message_that_was_tried_waits_to_retry() -> None:
    assert message_pill("queued", attempt_count=1).label == "Waiting to retry"
    assert message_pill("failed", attempt_count=1).label == "Failed"


def test_a_finished_broadcast_and_one_that_could_not_run_are_told_apart() -> None:
    assert broadcast_pill("completed").label == "Finished"
    assert broadcast_pill("failed").label == "Could not run"


def test_every_error_class_has_a_verdict() -> None:
    labels = {verdict_pill(name).label for name in VERDICT_PILLS}
    assert labels == {"Likely", "Yes, later", "After a fix", "No", "Not known"}


def test_a_state_nobody_knows_is_shown_as_it_is() -> None:
    html = pill_html(message_pill("held_<back>"))
    assert "Held &lt;back&gt;" in html


def test_every_pill_has_a_known_tone_and_icon() -> None:
    assert {pill.tone for pill in ALL_PILLS} <= {"ok", "info", "warn", "bad", "idle"}
    assert {pill.icon for pill in ALL_PILLS} <= set(SHAPES)
    assert {icon for _, icon in CHANNELS.values()} <= set(SHAPES)


def test_within_one_list_no_two_words_share_an_icon_and_a_tone() -> None:
    for pills in (BROADCAST_PILLS, VERDICT_PILLS):
        assert len({(pill.icon, pill.tone) for pill in pills.values()}) == len(pills)
