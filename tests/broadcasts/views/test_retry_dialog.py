"""“Retry failed”: the dialog, what it refuses, and what it makes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone

from broadcasts import retry
from broadcasts.clock import database_now
from broadcasts.models import Broadcast, BroadcastState
from messaging.models import Message
from tests.broadcasts.factories import (
    BLOCKED,
    draft,
    finished,
    outcomes,
    retried,
    rows_of,
    scheduled,
    stand,
    started,
)
from tests.broadcasts.views.pages import hidden, html_of, text_of, url_of
from tests.factories import World

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
DIALOG = {"HX-Request": "true", "HX-Target": "dialog"}


@pytest.fixture
def ours(ours: World) -> World:
    """Its editor lives in Amsterdam."""
    ours.editor.time_zone = "Europe/Amsterdam"
    ours.editor.save()
    return ours


def clock(moment: datetime) -> str:
    return f"{moment.astimezone(AMSTERDAM):%Y-%m-%dT%H:%M}"


def in_an_hour() -> str:
    return clock(timezone.now() + timedelta(hours=1))


def seen(response: Any, **values: Any) -> dict[str, Any]:
    """Return what the dialog would post, with what the person changed."""
    posted = {
        name: hidden(response, name)
        for name in ("shown_at", "shown_count", "shown_unknown")
        if hidden(response, name)
    }
    return {"run_at": in_an_hour(), **posted, **values}


def retries_of(source: Broadcast) -> list[Broadcast]:
    return list(Broadcast.objects.filter(retry_of=source))


# The dialog


def test_it_says_how_many_and_why(ours: World, editor: Client) -> None:
    own = finished(ours, "failed", "failed", "failed", "delivered")
    stand(rows_of(own).filter(pk=rows_of(own)[0].pk), "failed", BLOCKED)

    page = text_of(editor.get(url_of("retry", own), headers=DIALOG))

    assert "Retry 3 failed messages" in page
    assert "Members to retry 3" in page
    assert "Likely No history yet 2" in page
    assert "No No history yet 1" in page
    assert "Also the" not in page


def test_it_is_a_dialog_with_scripts_and_a_page_without(
    ours: World, editor: Client
) -> None:
    own = finished(ours, "failed")

    dialog = editor.get(url_of("retry", own), headers=DIALOG)
    page = editor.get(url_of("retry", own))

    assert "<html" not in html_of(dialog)
    assert "<html" in html_of(page)
    assert 'name="shown_count" value="1"' in html_of(page)


def test_it_proposes_two_minutes_from_now_on_a_full_minute(
    ours: World, editor: Client
) -> None:
    own = finished(ours, "failed")
    # The page goes by the clock of PostgreSQL, which stands still in a transaction.
    before = database_now() + timedelta(minutes=2)

    response = editor.get(url_of("retry", own))

    after = timezone.now() + timedelta(minutes=3)
    proposal = response.context["form"]["run_at"].value()
    assert before <= proposal.replace(tzinfo=AMSTERDAM) <= after
    assert proposal.second == 0
    assert "Your time zone: Europe/Amsterdam" in text_of(response)


@pytest.mark.parametrize("state", ["draft", "scheduled", "sending", "nothing failed"])
def test_when_it_is_off_it_says_why(ours: World, editor: Client, state: str) -> None:
    ours.contact()
    own = {
        "draft": lambda: draft(ours),
        "scheduled": lambda: scheduled(ours),
        "sending": lambda: started(scheduled(ours)),
        "nothing failed": lambda: finished(ours, "delivered"),
    }[state]()

    response = editor.get(url_of("retry", own), headers=DIALOG)

    reason = response.context["dialog_off"]
    assert reason
    assert reason in text_of(response)
    assert 'aria-disabled="true"' in html_of(response)
    assert 'name="run_at"' not in html_of(response)
    assert "Retry 0" not in text_of(response)

    refused = editor.post(url_of("retry", own), seen(response), headers=DIALOG)
    assert refused.status_code in {409, 422}
    assert reason in text_of(refused)
    assert retries_of(own) == []


# What it makes


def test_confirming_schedules_a_retry_of_exactly_those(
    ours: World, editor: Client
) -> None:
    own = finished(ours, "failed", "failed", "delivered", name="Invoice")
    dialog = editor.get(url_of("retry", own))
    run_at = datetime(2030, 12, 1, 18, 30, tzinfo=AMSTERDAM)

    response = editor.post(url_of("retry", own), seen(dialog, run_at=clock(run_at)))

    (made,) = retries_of(own)
    assert response["Location"] == url_of("detail", made)
    assert made.state == BroadcastState.SCHEDULED
    assert made.run_at == run_at
    assert made.time_zone == "Europe/Amsterdam"
    assert made.created_by == ours.editor
    assert rows_of(made).count() == 2
    page = text_of(editor.get(response["Location"]))
    assert (
        "2 members will be tried again on 1 Dec 2030 at 18:30 (Europe/Amsterdam)."
        in page
    )


def test_in_a_dialog_the_page_goes_on_to_the_new_broadcast(
    ours: World, editor: Client
) -> None:
    own = finished(ours, "failed")
    dialog = editor.get(url_of("retry", own), headers=DIALOG)

    response = editor.post(url_of("retry", own), seen(dialog), headers=DIALOG)

    (made,) = retries_of(own)
    assert response["HX-Redirect"] == url_of("detail", made)


def test_the_time_is_the_viewers_wall_clock(ours: World, editor: Client) -> None:
    own = finished(ours, "failed")
    dialog = editor.get(url_of("retry", own))

    editor.post(url_of("retry", own), seen(dialog, run_at="2030-07-01T12:00"))

    (made,) = retries_of(own)
    assert made.run_at == datetime(2030, 7, 1, 12, tzinfo=AMSTERDAM)


def test_pressing_twice_makes_one_broadcast(ours: World, editor: Client) -> None:
    own = finished(ours, "failed")
    posted = seen(editor.get(url_of("retry", own)))

    first = editor.post(url_of("retry", own), posted)
    second = editor.post(url_of("retry", own), posted)

    (made,) = retries_of(own)
    assert first["Location"] == second["Location"] == url_of("detail", made)


def test_a_colleague_was_faster(ours: World, editor: Client, log_in: Any) -> None:
    own = finished(ours, "failed")
    posted = seen(editor.get(url_of("retry", own)))
    log_in(ours.admin).post(url_of("retry", own), posted)

    response = editor.post(url_of("retry", own), posted)

    assert response.status_code == 409
    assert "is already scheduled for" in text_of(response)
    assert len(retries_of(own)) == 1


# Time


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Enter a date and time, for example"),
        ("soon", "Enter a date and time, for example"),
        ("2020-01-01T10:00", "Choose a time at least 2 minutes ahead"),
        ("9999-12-31T23:59", "Choose a date between the years 2000 and 2100."),
        ("0001-01-01T00:00", "Choose a date between the years 2000 and 2100."),
        ("2030-03-31T02:30", "does not exist in Europe/Amsterdam"),
        ("2030-10-27T02:30", "comes twice in Europe/Amsterdam"),
    ],
)
def test_a_wrong_time_is_explained_at_its_field(
    ours: World, editor: Client, typed: str, sentence: str
) -> None:
    own = finished(ours, "failed")
    dialog = editor.get(url_of("retry", own), headers=DIALOG)

    response = editor.post(
        url_of("retry", own), seen(dialog, run_at=typed), headers=DIALOG
    )

    assert response.status_code == 422
    assert sentence in text_of(response)
    assert "run_at" in response.context["form"].errors
    assert 'aria-invalid="true"' in html_of(response)
    assert retries_of(own) == []


def test_reading_the_dialog_for_a_while_is_no_mistake(
    ours: World, editor: Client
) -> None:
    own = finished(ours, "failed")
    dialog = editor.get(url_of("retry", own))
    nearly = timezone.now() + timedelta(minutes=3)

    response = editor.post(url_of("retry", own), seen(dialog, run_at=clock(nearly)))

    assert response.status_code == 302


# The set


def test_a_set_that_changed_is_shown_again(ours: World, editor: Client) -> None:
    own = finished(ours, "failed", "failed", "failed")
    dialog = editor.get(url_of("retry", own), headers=DIALOG)
    when = in_an_hour()
    stand(rows_of(own).filter(pk=rows_of(own)[0].pk), "delivered")

    again = editor.post(url_of("retry", own), seen(dialog, run_at=when), headers=DIALOG)

    assert again.status_code == 409
    assert "Retry 2 failed messages" in text_of(again)
    assert "The list changed while you looked: now it is 2 members" in text_of(again)
    assert f'value="{when}"' in html_of(again)
    assert retries_of(own) == []

    assert editor.post(url_of("retry", own), seen(again)).status_code == 302
    assert rows_of(retries_of(own)[0]).count() == 2


@pytest.mark.parametrize(
    "broken",
    [
        {"shown_at": "yesterday"},
        {"shown_at": ""},
        {"shown_count": "many"},
        {"shown_count": "-1"},
        {"shown_at": "9999-12-31T23:59:59.999999-2359"},
        {"shown_at": "0001-01-01T00:00:00.000000+2359"},
    ],
)
def test_a_dialog_that_was_tampered_with_is_shown_again(
    ours: World, editor: Client, broken: dict[str, str]
) -> None:
    own = finished(ours, "failed")
    dialog = editor.get(url_of("retry", own))

    response = editor.post(url_of("retry", own), seen(dialog, **broken))

    assert response.status_code == 409
    assert "Now it is 1 member. Look again and confirm." in text_of(response)
    assert retries_of(own) == []


@pytest.mark.parametrize("offset", ["+2359", "-2359"])
def test_an_offset_that_no_clock_has_is_still_a_moment(
    ours: World, editor: Client, offset: str
) -> None:
    own = finished(ours, "failed")
    dialog = editor.get(url_of("retry", own))
    shown_at = datetime.strptime(hidden(dialog, "shown_at"), "%Y-%m-%dT%H:%M:%S.%f%z")
    there = shown_at.astimezone(datetime.strptime(offset, "%z").tzinfo)
    run_at = f"{clock(timezone.now() + timedelta(days=3))}{offset}"

    response = editor.post(
        url_of("retry", own),
        seen(dialog, shown_at=f"{there:%Y-%m-%dT%H:%M:%S.%f%z}", run_at=run_at),
    )

    assert response.status_code == 302
    assert len(retries_of(own)) == 1


# Unknown ones


def test_unknown_ones_are_offered_with_a_warning(ours: World, editor: Client) -> None:
    own = finished(ours, "failed", "unknown", "unknown")

    page = text_of(editor.get(url_of("retry", own)))

    assert "Retry 1 failed message" in page
    assert "Also the 2 unknown ones" in page
    assert "these members may get it twice" in page


def test_a_tick_is_counted_before_anything_is_sent(ours: World, editor: Client) -> None:
    """Without scripts the number is the old one, so it is shown once more."""
    own = finished(ours, "failed", "unknown", "unknown")
    page = editor.get(url_of("retry", own))

    again = editor.post(url_of("retry", own), seen(page, include_unknown="on"))

    assert again.status_code == 409
    assert "Now it is 3 members. Look again and confirm." in text_of(again)
    assert "Retry 1 failed and 2 unknown messages" in text_of(again)
    assert retries_of(own) == []

    done = editor.post(url_of("retry", own), seen(again, include_unknown="on"))
    assert done.status_code == 302
    assert rows_of(retries_of(own)[0]).count() == 3


def test_a_tick_updates_the_number_at_once_with_scripts(
    ours: World, editor: Client
) -> None:
    own = finished(ours, "failed", "unknown")

    part = editor.get(
        url_of("retry", own),
        {"include_unknown": "on", "run_at": "2030-07-01T12:00"},
        headers={"HX-Request": "true", "HX-Target": "retry-set"},
    )

    assert "<html" not in html_of(part)
    assert 'id="dialog-title"' in html_of(part)
    assert "Retry 1 failed and 1 unknown message" in text_of(part)
    assert hidden(part, "shown_unknown") == "on"
    done = editor.post(url_of("retry", own), seen(part, include_unknown="on"))
    assert done.status_code == 302


def test_without_a_tick_unknown_ones_stay_where_they_are(
    ours: World, editor: Client
) -> None:
    own = finished(ours, "failed", "unknown")

    editor.post(url_of("retry", own), seen(editor.get(url_of("retry", own))))

    assert rows_of(retries_of(own)[0]).count() == 1


# Quota


def test_at_the_cap_the_dialog_names_the_slot_to_free(
    ours: World, editor: Client
) -> None:
    own = finished(ours, "failed")
    draft(ours, name="Forgotten draft")
    ours.organization.broadcast_quota = 1
    ours.organization.save()
    dialog = editor.get(url_of("retry", own), headers=DIALOG)
    assert "delete the oldest draft, “Forgotten draft”" in text_of(dialog)

    response = editor.post(url_of("retry", own), seen(dialog), headers=DIALOG)

    assert response.status_code == 409
    assert "delete the oldest draft, “Forgotten draft”" in text_of(response)
    assert retries_of(own) == []


def test_the_retry_of_a_retry(ours: World, editor: Client) -> None:
    first = started(retried(finished(ours, "failed", "failed"), ours))
    stand(rows_of(first), "failed")
    Broadcast.objects.filter(pk=first.pk).update(
        state=BroadcastState.COMPLETED, finished_at=timezone.now()
    )
    dialog = editor.get(url_of("retry", first))

    assert editor.post(url_of("retry", first), seen(dialog)).status_code == 302
    assert rows_of(retries_of(first)[0]).count() == 2


def test_very_many_in_a_chain_are_looked_at_once_the_dialog_is_open(
    ours: World, editor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = finished(ours, "failed", "failed")
    outcomes(started(retried(source, ours)), "failed", "delivered")
    address = url_of("retry", source)

    candidates = retry.candidates

    def slowly(one: Broadcast, *, include_unknown: bool = False) -> QuerySet[Message]:
        """Count as slowly as a few hundred thousand members may take."""
        found = candidates(one, include_unknown=include_unknown)
        if not include_unknown:
            return found
        return found.extra(where=["(SELECT pg_sleep(30)) IS NOT NULL"])

    with monkeypatch.context() as patch:
        patch.setattr(retry, "candidates", slowly)
        opened = editor.get(address, headers=DIALOG)
    assert opened.status_code == 200
    assert "Looking at every failed message" in opened.content.decode()
    assert "<form" not in opened.content.decode()

    whole = editor.get(address, headers={**DIALOG, "Dialog-Has-Waited": "yes"})

    assert hidden(whole, "shown_count") == "1"
