"""Schedule, cancel, clone and delete from the page of a broadcast."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from broadcasts.models import Broadcast, BroadcastState
from tests.broadcasts.factories import draft, finished, scheduled, started, states_of
from tests.broadcasts.views.pages import html_of, text_of, url_of
from tests.factories import World

DIALOG = {"HX-Request": "true", "HX-Target": "dialog"}


def at(minutes: int) -> str:
    return f"{timezone.now() + timedelta(minutes=minutes):%Y-%m-%dT%H:%M}"


def test_a_draft_is_scheduled_from_a_dialog(ours: World, editor: Client) -> None:
    own = draft(ours, name="Renewal")
    assert "When should it run?" in text_of(
        editor.get(url_of("schedule", own), headers=DIALOG)
    )

    response = editor.post(url_of("schedule", own), {"run_at": at(60)}, headers=DIALOG)

    own.refresh_from_db()
    assert response["HX-Redirect"] == url_of("detail", own)
    assert own.state == BroadcastState.SCHEDULED
    page = text_of(editor.get(url_of("detail", own)))
    assert "“Renewal” will run on" in page


@pytest.mark.parametrize(
    ("run_at", "sentence"),
    [
        ("", "Enter a date and time"),
        ("2020-01-01T10:00", "Choose a time at least 2 minutes ahead"),
    ],
)
def test_a_wrong_time_leaves_the_draft(
    ours: World, editor: Client, run_at: str, sentence: str
) -> None:
    own = draft(ours)

    response = editor.post(url_of("schedule", own), {"run_at": run_at}, headers=DIALOG)

    own.refresh_from_db()
    assert response.status_code == 422
    assert sentence in text_of(response)
    assert own.state == BroadcastState.DRAFT


def test_a_draft_without_a_route_is_not_scheduled(ours: World, editor: Client) -> None:
    own = draft(ours, routes=[])

    response = editor.post(url_of("schedule", own), {"run_at": at(60)}, headers=DIALOG)

    assert response.status_code == 422
    assert "Choose at least one route to send by." in text_of(response)


def test_cancelling_asks_first_and_says_what_stays(ours: World, editor: Client) -> None:
    ours.contact()
    own = started(scheduled(ours, name="Renewal"))

    asked = text_of(editor.get(url_of("cancel", own), headers=DIALOG))
    assert "Cancel “Renewal”?" in asked
    assert "1 message that waits now is taken back" in asked
    assert "What has left stays." in asked

    response = editor.post(url_of("cancel", own), headers=DIALOG)

    own.refresh_from_db()
    assert response["HX-Redirect"] == url_of("detail", own)
    assert own.state == BroadcastState.CANCELLED
    assert states_of(own) == ["cancelled"]


def test_cancelling_without_scripts(ours: World, editor: Client) -> None:
    own = scheduled(ours)

    response = editor.post(url_of("cancel", own))

    assert response["Location"] == url_of("detail", own)
    assert "is cancelled" in text_of(editor.get(url_of("detail", own)))


def test_what_is_over_is_not_cancelled(ours: World, editor: Client) -> None:
    own = finished(ours, "delivered")

    asked = editor.get(url_of("cancel", own), headers=DIALOG)
    response = editor.post(url_of("cancel", own), headers=DIALOG)

    assert 'aria-disabled="true"' in html_of(asked)
    assert response.status_code == 409
    assert "It is too late to cancel: the broadcast is already finished." in text_of(
        response
    )


def test_a_clone_is_a_draft_to_edit(ours: World, editor: Client) -> None:
    own = finished(ours, "failed", name="Renewal")

    response = editor.post(url_of("clone", own))

    copy = Broadcast.objects.exclude(pk=own.pk).get()
    assert response["Location"] == url_of("edit", copy)
    assert copy.state == BroadcastState.DRAFT
    assert "“Copy of Renewal” is a draft now." in text_of(
        editor.get(response["Location"])
    )


def test_a_clone_takes_a_slot(ours: World, editor: Client) -> None:
    own = finished(ours, "failed")
    draft(ours, name="Forgotten draft")
    ours.organization.broadcast_quota = 1
    ours.organization.save()

    response = editor.post(url_of("clone", own))

    assert response.status_code == 409
    assert "“Forgotten draft”" in text_of(response)
    assert url_of("detail", own) in html_of(response)


def test_a_draft_is_deleted_after_one_question(ours: World, editor: Client) -> None:
    own = draft(ours, name="Renewal")
    assert "Delete “Renewal”?" in text_of(
        editor.get(url_of("delete", own), headers=DIALOG)
    )

    response = editor.post(url_of("delete", own), headers=DIALOG)

    assert response["HX-Redirect"] == "/broadcasts/"
    assert not Broadcast.objects.exists()


def test_what_was_scheduled_is_not_deleted(ours: World, editor: Client) -> None:
    own = scheduled(ours)

    response = editor.post(url_of("delete", own), headers=DIALOG)

    assert response.status_code == 409
    assert "Only drafts are deleted" in text_of(response)
    assert Broadcast.objects.filter(pk=own.pk).exists()
