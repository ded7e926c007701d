"""The page of unknown messages: the evidence in words, and two ways to settle it."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from messaging.dispatch import again, pace
from messaging.dispatch.claim import claim
from messaging.models import (
    Attempt,
    Contact,
    Content,
    CountedDelivery,
    Integration,
    Message,
    Receipt,
)
from tests.factories import World
from tests.messaging.views.rows import attempt, receipt, tried
from tests.messaging.views.test_message_detail import words

pytestmark = pytest.mark.django_db

UNKNOWN = "/messages/unknown/"
IN_DIALOG = {"HX-Request": "true", "HX-Target": "dialog"}


def unknown(
    world: World,
    *,
    left: timedelta = timedelta(hours=2),
    code: str = "whatsapp:timeout",
    duration_ms: int | None = 10_000,
    http_status: int | None = None,
    **values: Any,
) -> Message:
    message = tried(world, "unknown", error_code=code, error_class="unknown", **values)
    opened_at = timezone.now() - left
    took = timedelta(milliseconds=duration_ms or 0)
    Attempt.objects.filter(message=message).update(
        opened_at=opened_at,
        closed_at=opened_at + took,
        duration_ms=duration_ms,
        http_status=http_status,
    )
    return message


def heard_of_another(integration: Integration | None) -> None:
    """Let the integration have got a receipt of some other message just now."""
    assert integration is not None
    Receipt.objects.create(
        organization_id=integration.organization_id,
        integration=integration,
        key=f"other {integration.pk}",
        kind="status",
        state="delivered",
        result="ignored",
        applied_at=timezone.now(),
        raw={},
    )


def page(client: Client, query: str = "") -> str:
    response = client.get(f"{UNKNOWN}{query}")
    assert response.status_code == 200
    return words(response.content.decode())


def address(message: Message, name: str = "message-count") -> str:
    return reverse(f"messaging:{name}", kwargs={"pk": message.pk})


def test_no_answer_and_no_receipt_for_hours(ours: World, editor: Client) -> None:
    message = unknown(ours)
    heard_of_another(message.integration)

    text = page(editor)

    assert "and no answer came within 10 s." in text
    assert (
        "WhatsApp sends receipts, and none has come for 2 hours: it probably did not"
        " arrive." in text
    )
    assert "Probably did not arrive" in text
    assert "Count as delivered" in text
    assert "Send again, may arrive twice" in text


def test_a_fresh_one_asks_to_wait(ours: World, editor: Client) -> None:
    message = unknown(ours, left=timedelta(minutes=3))
    heard_of_another(message.integration)

    text = page(editor)

    assert "it left only 3 minutes ago: wait a little" in text
    assert "Too early to tell" in text
    assert "probably" not in text.casefold()


def test_silence_says_nothing_where_no_receipts_come_at_all(
    ours: World, editor: Client
) -> None:
    unknown(ours, integration=ours.integration(name="Front desk"))

    text = page(editor)

    assert "none at all has come through “Front desk” lately" in text
    assert "No sign either way" in text


@pytest.mark.parametrize(
    ("kind", "who"), [("telegram_bot", "Telegram"), ("smtp", "The mail server")]
)
def test_a_provider_without_receipts_is_said_so(
    ours: World, editor: Client, kind: str, who: str
) -> None:
    contact = ours.contact(telegram_chat_id="77", email="ama@example.org")
    unknown(ours, integration=ours.integration(kind), contact=contact)

    assert f"{who} sends no receipts, so nothing settles it by itself" in page(editor)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"code": "whatsapp:connection_lost", "duration_ms": 2_100},
            "the line broke after 2.1 s, before an answer.",
        ),
        (
            {
                "code": "whatsapp:unreadable_answer",
                "duration_ms": 340,
                "http_status": 502,
            },
            "an answer came after 340 ms (HTTP 502), but it does not say whether the"
            " message was taken.",
        ),
        (
            {"code": "resend_admin:worker_lost", "duration_ms": None},
            "was cut off on our side, so nobody saw whether the request left",
        ),
        (
            {"code": "whatsapp:DUPLICATE_REQUEST"},
            "The provider says that it has this message already.",
        ),
    ],
)
def test_what_came_back_is_told(
    ours: World, editor: Client, values: dict[str, Any], sentence: str
) -> None:
    unknown(ours, **values)

    assert sentence in page(editor)


def test_the_answer_and_the_receipts_are_there_folded(
    ours: World, editor: Client
) -> None:
    message = unknown(
        ours, answer='{"oops": "half an ans', error_detail="ServerDisconnected"
    )
    receipt(message.attempts.get(), "", result="not_understood", raw={"status": "hm"})

    text = page(editor)

    assert '{"oops": "half an ans' in text.replace("&quot;", '"')
    assert "What came back: ServerDisconnected" in text
    assert "something unknown" in text
    assert "What came about it since does not settle it" in text


def test_a_part_that_was_taken_back_is_told_with_what_settles_it(
    ours: World, editor: Client
) -> None:
    message = unknown(ours, code="resend_admin:worker_lost")
    attempt = message.attempts.get()
    attempt.parts = 2
    attempt.save()
    receipt(attempt, "failed", result="ignored")

    text = page(editor)

    assert (
        "took a part of it back, and nobody knows whether a later one has left" in text
    )
    assert "Counts as soon as it is known whether a later part has left" in text


def test_a_stray_receipt_for_the_same_number_is_shown(
    ours: World, editor: Client
) -> None:
    message = unknown(ours)
    assert message.integration is not None
    Receipt.objects.create(
        organization=ours.organization,
        integration=message.integration,
        key="stray",
        kind="status",
        state="delivered",
        address=message.recipient,
        result="unmatched",
        applied_at=timezone.now(),
        raw={"id": "wamid.other"},
    )

    text = page(editor)

    assert "A receipt for the same address came since" in text
    assert "wamid.other" in text
    assert "May have arrived" in text


def test_one_time_codes_stay_hidden(ours: World, editor: Client) -> None:
    content = Content.objects.create(
        organization=ours.organization,
        kind="text",
        payload={"text": "Your code is 123456"},
    )
    unknown(ours, content=content, answer='{"echo": "Your code is 123456"}')

    assert "123456" not in page(editor)


def test_only_unknown_messages_of_the_own_organization(
    ours: World, theirs: World, editor: Client
) -> None:
    unknown(ours, contact=ours.contact(name="Ama Owusu"))
    tried(ours, "failed", contact=ours.contact(name="Kofi Mensah"))
    unknown(theirs, contact=theirs.contact(name="Theirs Entirely"))

    text = page(editor)

    assert "Ama Owusu" in text
    assert "Kofi Mensah" not in text
    assert "Theirs Entirely" not in text


def test_it_narrows_to_a_broadcast_a_channel_and_an_integration(
    ours: World, editor: Client
) -> None:
    broadcast = ours.broadcast(name="Autumn newsletter")
    unknown(ours, contact=ours.contact(name="Ama Owusu"), broadcast_id=broadcast.pk)
    bot = ours.integration("telegram_bot", name="Our bot")
    other = ours.contact(name="Kofi Mensah", telegram_chat_id="9")
    unknown(ours, integration=bot, contact=other)

    for query, there, away in (
        (f"?broadcast={broadcast.pk}", "Ama Owusu", "Kofi Mensah"),
        ("?channel=telegram", "Kofi Mensah", "Ama Owusu"),
        (f"?integration={bot.pk}", "Kofi Mensah", "Ama Owusu"),
    ):
        text = page(editor, query)
        assert there in text
        assert away not in text
    assert "Autumn newsletter" in page(editor, f"?broadcast={broadcast.pk}")
    assert "No unknown message matches" in page(editor, "?channel=sms")


def test_without_any_it_says_what_the_page_is_for(editor: Client) -> None:
    assert "Nothing is unknown" in page(editor)


def test_an_agent_reads_and_decides_nothing(ours: World, agent: Client) -> None:
    unknown(ours)

    text = page(agent)

    assert "no answer came within 10 s." in text
    assert "Count as delivered" not in text
    assert "Send again" not in text


def test_the_number_of_queries_does_not_grow(ours: World, editor: Client) -> None:
    integration = ours.integration()

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            page(editor)
        return len(captured)

    unknown(ours, integration=integration)
    first = queries()
    for _ in range(6):
        unknown(ours, integration=integration)

    assert queries() == first


def test_pages_go_on_by_keyset(ours: World, editor: Client) -> None:
    integration = ours.integration()
    for number in range(12):
        contact = ours.contact(name=f"Member number {number:02}")
        unknown(ours, integration=integration, contact=contact)

    response = editor.get(UNKNOWN)

    assert "Member number 02" in words(response.content.decode())
    older = response.context["page"].older
    assert older
    assert "Member number 01" in page(editor, f"?older={older}")


# Counting one as delivered


@pytest.fixture
def ama(ours: World, editor: Client) -> Client:
    ours.editor.first_name, ours.editor.last_name = "Ama", "Owusu"
    ours.editor.save()
    return editor


def test_the_dialog_repeats_what_is_known_and_what_it_costs(
    ours: World, ama: Client
) -> None:
    message = unknown(ours)
    heard_of_another(message.integration)

    text = words(ama.get(address(message)).content.decode())

    assert "is charged (1 credit)" in text
    assert "no answer came within 10 s." in text
    assert "How do you know? (optional)" in text


def test_confirming_settles_it_with_name_and_reason_on_the_attempt(
    ours: World, ama: Client
) -> None:
    message = unknown(ours)

    response = ama.post(
        address(message), {"shown_attempts": 1, "reason": " She  told us "}
    )

    assert response.status_code == 302
    text = words(ama.get(response["Location"]).content.decode())
    assert "Counted as delivered. Your name stands on the attempt." in text
    assert "Attempt 1: counted as delivered" in text
    assert "Ama Owusu counted it as delivered on" in text
    assert "“She told us”" in text
    assert "Send a copy" in text


def test_the_dialog_goes_back_to_the_list_it_came_from(
    ours: World, ama: Client
) -> None:
    message = unknown(ours)
    there = f"http://testserver{UNKNOWN}?channel=whatsapp"

    response = ama.post(
        address(message),
        {"shown_attempts": 1},
        headers=IN_DIALOG | {"HX-Current-URL": there},
    )

    assert response["HX-Redirect"] == f"{UNKNOWN}?channel=whatsapp"


@pytest.mark.parametrize(
    "there", ["https://evil.example/messages/unknown/", "http://testserver/members/"]
)
def test_any_other_page_leads_to_the_message(
    ours: World, ama: Client, there: str
) -> None:
    message = unknown(ours)

    response = ama.post(
        address(message),
        {"shown_attempts": 1},
        headers=IN_DIALOG | {"HX-Current-URL": there},
    )

    assert response["HX-Redirect"] == f"/messages/{message.pk}/"


def test_whoever_comes_second_reads_who_was_first(ours: World, ama: Client) -> None:
    message = unknown(ours)
    ama.post(address(message), {"shown_attempts": 1})

    response = ama.post(address(message), {"shown_attempts": 1})

    assert response.status_code == 409
    text = words(response.content.decode())
    assert "Ama Owusu counted it as delivered meanwhile." in text
    assert CountedDelivery.objects.count() == 1


def test_what_is_not_unknown_cannot_be_counted(ours: World, ama: Client) -> None:
    message = tried(ours, "failed")

    asked = words(ama.get(address(message)).content.decode())
    response = ama.post(address(message), {"shown_attempts": 1})

    assert "This message is not unknown any more" in asked
    assert response.status_code == 409
    message.refresh_from_db()
    assert message.state == "failed"


def test_a_receipt_that_says_otherwise_is_shown_and_changes_nothing(
    ours: World, ama: Client
) -> None:
    message = unknown(ours)
    ama.post(address(message), {"shown_attempts": 1})
    receipt(message.attempts.get(), "failed", result="ignored", error_code="131026")

    text = words(ama.get(f"/messages/{message.pk}/").content.decode())

    assert "The provider says otherwise: it failed" in text
    assert "Contradicts the person who counted it as delivered" in text
    assert "Said nothing new" not in text


def test_a_receipt_that_agrees_says_so(ours: World, ama: Client) -> None:
    message = unknown(ours)
    ama.post(address(message), {"shown_attempts": 1})
    receipt(message.attempts.get(), "delivered", result="ignored")

    text = words(ama.get(f"/messages/{message.pk}/").content.decode())

    assert "A receipt confirmed it later." in text


def test_the_messages_own_page_shows_the_same(ours: World, ama: Client) -> None:
    message = unknown(ours)
    heard_of_another(message.integration)

    text = words(ama.get(f"/messages/{message.pk}/").content.decode())

    assert "it probably did not arrive" in text
    assert "Count as delivered" in text
    assert "Send again, may arrive twice" in text


def test_an_agent_sees_no_buttons_on_it(ours: World, agent: Client) -> None:
    message = unknown(ours)

    text = words(agent.get(f"/messages/{message.pk}/").content.decode())

    assert "Nobody can tell whether this message arrived." in text
    assert "Count as delivered" not in text


def test_a_broadcast_leads_to_its_unknown_ones(ours: World, editor: Client) -> None:
    broadcast = ours.broadcast()
    unknown(ours, broadcast_id=broadcast.pk)

    html = editor.get(f"/broadcasts/{broadcast.pk}/").content.decode()

    assert f"{UNKNOWN}?broadcast={broadcast.pk}" in html


def test_what_left_is_not_said_to_have_stayed(ours: World, agent: Client) -> None:
    message = unknown(ours)
    heard_of_another(message.integration)

    text = words(agent.get(f"/messages/{message.pk}/").content.decode())

    assert "The request left on" in text
    assert "Attempt 1: nobody can tell whether it arrived" in text
    assert "whether this message left" not in text
    assert "took the request" not in text


def test_what_was_cut_off_may_not_have_left(ours: World, agent: Client) -> None:
    message = unknown(ours, code="resend_admin:worker_lost", duration_ms=None)

    text = words(agent.get(f"/messages/{message.pk}/").content.decode())

    assert "Nobody can tell whether this message left." in text
    assert "Attempt 1: nobody can tell whether it left" in text


@pytest.mark.parametrize(
    ("earlier", "sentence"),
    [
        (1, "Attempt 1 got no clear answer either, so two copies may be under way"),
        (3, "Attempts 1, 2 and 3 got no clear answer either, so four copies may be"),
    ],
)
def test_more_than_one_try_in_doubt_is_said_everywhere(
    ours: World, ama: Client, earlier: int, sentence: str
) -> None:
    message = unknown(ours, attempts=earlier + 1)
    message.attempts.update(
        state="unknown", error_code="whatsapp:timeout", error_class="unknown"
    )

    assert sentence in page(ama)
    assert sentence in words(ama.get(f"/messages/{message.pk}/").content.decode())
    assert sentence in words(ama.get(address(message)).content.decode())


def watched(html: str) -> str:
    found = re.search(r'data-poll hx-get="([^"]+)"', html)
    return unescape(found[1]) if found else ""


def test_its_page_watches_until_it_is_settled(ours: World, agent: Client) -> None:
    message = unknown(ours, state_at=timezone.now() - timedelta(days=3))
    address = f"/messages/{message.pk}/"
    question = watched(agent.get(address).content.decode())
    assert agent.get(question).status_code == 204

    arrive(message)
    answer = agent.get(question)

    assert answer.status_code == 200
    assert "Nobody can tell" not in words(answer.content.decode())
    assert watched(answer.content.decode()) == ""
    assert watched(agent.get(address).content.decode()) == ""


def test_the_list_watches_its_cards_until_all_are_settled(
    ours: World, editor: Client
) -> None:
    first, second = unknown(ours), unknown(ours)
    question = watched(editor.get(UNKNOWN).content.decode())
    assert editor.get(question).status_code == 204

    arrive(first)
    answer = editor.get(question).content.decode()

    assert first.public_id in answer
    assert second.public_id not in answer
    assert answer.count('hx-swap-oob="true"') == 1
    assert "the message was delivered. Nothing is left to do." in words(answer)
    assert "Count as delivered" not in words(answer)
    question = watched(answer)
    assert editor.get(question).status_code == 204

    arrive(second)
    assert watched(editor.get(question).content.decode()) == ""


def test_a_card_that_is_sent_again_stays_watched(ours: World, ama: Client) -> None:
    message = unknown(ours)
    question = watched(ama.get(UNKNOWN).content.decode())

    Message.objects.filter(pk=message.pk).update(state="sending", attempt_count=2)
    sending = ama.get(question).content.decode()
    attempt(message, 2, "unknown", error_code="whatsapp:timeout")
    Message.objects.filter(pk=message.pk).update(state="unknown")
    again = ama.get(watched(sending)).content.decode()

    assert "Somebody sent this message again meanwhile." in words(sending)
    assert "Attempt 1 got no clear answer either" in words(again)
    assert "Count as delivered" in words(again)


def test_a_poll_of_the_list_is_cheap(ours: World, editor: Client) -> None:
    for _ in range(3):
        unknown(ours)
    question = watched(editor.get(UNKNOWN).content.decode())

    with CaptureQueriesContext(connection) as asked:
        editor.get(question)

    assert len(asked) <= 4


@pytest.mark.parametrize(
    "shown", ["", "x", "7", "0.unknown.1", "007.unknown.1", f"{10**30}.unknown.1"]
)
def test_a_question_that_makes_no_sense_changes_nothing(
    ours: World, editor: Client, shown: str
) -> None:
    assert editor.get(UNKNOWN, {"shown": shown}).status_code == 204


def test_cards_of_others_are_not_told(ours: World, stranger: Client) -> None:
    message = unknown(ours)

    response = stranger.get(UNKNOWN, {"shown": f"{message.pk}.failed.1"})

    assert response.status_code == 204


@pytest.mark.parametrize("name", ["message-count", "message-resend"])
def test_a_card_that_is_stale_opens_what_happened(
    ours: World, ama: Client, name: str
) -> None:
    message = unknown(ours)
    arrive(message)

    asked = ama.get(address(message, name), headers=IN_DIALOG).content.decode()
    text = words(asked)

    assert "This message" in text
    assert "delivered" in text
    assert "Close" in text
    assert f'href="/messages/{message.pk}/" id="dialog-look"' in asked
    for gone in ("Keep as unknown", "stays on record", "aria-disabled", "<form"):
        assert gone not in asked


def arrive(message: Message) -> None:
    """Settle a message as a receipt does."""
    now = timezone.now()
    message.attempts.update(state="delivered")
    Message.objects.filter(pk=message.pk).update(
        state="delivered", state_at=now, sent_at=now, delivered_at=now
    )


def test_a_further_try_that_did_not_leave_says_why(ours: World, editor: Client) -> None:
    message = unknown(ours)
    assert message.integration is not None
    pace.take_lease(message.integration.pk, uuid.uuid4())
    wish = again.Again(message.pk, message.attempt_count, asked_by="person")
    assert again.queue_again([wish], states=["unknown"])
    Contact.objects.update(opted_out_channels=[message.channel])

    claim(message.integration, limit=1)

    why = (
        "The member opted out, so nothing was sent. It stands as before: an earlier"
        " attempt may have arrived."
    )
    assert f"It was to be sent again and did not leave. {why}" in page(editor)
    own = words(editor.get(address(message, "message-detail")).content.decode())
    assert "Attempt 2 did not leave" in own
    assert why in own


@pytest.mark.parametrize(
    ("reason", "next_step"),
    [
        ("insufficient_credits", "Ask whoever runs this server to top up"),
        ("integration_off", "Ask an admin to switch the integration on"),
        ("credentials", "Ask an admin to complete them, then send it again."),
        ("missed_time", "Send it again if it still makes sense"),
    ],
)
def test_what_kept_it_from_leaving_says_what_to_do(
    ours: World, editor: Client, reason: str, next_step: str
) -> None:
    Message.objects.filter(pk=unknown(ours).pk).update(reason=reason)

    assert f"an earlier attempt may have arrived. {next_step}" in page(editor)
