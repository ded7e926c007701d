"""One message: every try, what it means, and what it cost."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from messaging.dispatch.claim import claim
from messaging.models import Content, Integration, Message
from messaging.sending import EVERY_PART_SENT
from tests.factories import World
from tests.messaging.dispatch.flows import asked_again, got_through, of_two_attempts
from tests.messaging.views.rows import attempt, receipt, tried


def page(client: Client, message: Message) -> str:
    """Return the text of the page, without its tags."""
    return words(source(client, message))


def source(client: Client, message: Message) -> str:
    url = reverse("messaging:message-detail", kwargs={"pk": message.pk})
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def words(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).split())


def test_every_attempt_is_told_newest_first(ours: World, agent: Client) -> None:
    message = tried(
        ours,
        "failed",
        attempts=3,
        error_code="whatsapp:131047",
        error_class="fix_first",
        answer='{"error": {"code": 131047}}',
        actor="person",
        actor_name="Ada Verbeek",
        reason="She called us",
    )

    text = page(agent, message)

    third = text.index("Attempt 3: failed, something has to be fixed first")
    second = text.index("Attempt 2: failed, can be tried again")
    first = text.index("Attempt 1: failed, can be tried again")
    assert third < second < first < text.index("Queued", first)
    assert "By Ada Verbeek · “She called us” · took 981 ms" in text
    assert '"code": 131047' in text


def test_diagnosis_and_advice_come_from_the_catalogue(
    ours: World, agent: Client
) -> None:
    message = tried(
        ours, "failed", error_code="whatsapp:131047", error_class="fix_first"
    )

    text = page(agent, message)

    assert "only a template may be sent" in text
    assert "Send an approved template first" in text
    assert "Will a retry help? After a fix" in text


def test_an_unlisted_answer_is_shown_as_it_came(ours: World, agent: Client) -> None:
    message = tried(
        ours,
        "failed",
        error_code="whatsapp:999999",
        error_class="unknown",
        error_detail="The moon is full",
        answer="<b>not JSON</b> & all of it",
    )

    text = page(agent, message)

    assert "The moon is full" in text
    assert "<b>not JSON</b> & all of it" in text
    assert "<b>not JSON" not in source(agent, message)


def test_what_is_planned_stands_on_top(ours: World, agent: Client) -> None:
    message = tried(
        ours,
        "queued",
        attempts=2,
        due_at=timezone.now() + timedelta(minutes=50, seconds=20),
        asked_by="automatic",
    )

    text = page(agent, message)

    assert text.index("Attempt 3 is planned") < text.index("Attempt 2: failed")
    assert "in 50 minutes By automatic retry" in text
    assert "Waiting to retry" in text


def test_receipts_are_told_with_what_became_of_them(ours: World, agent: Client) -> None:
    message = tried(ours, "read", attempts=1)
    attempt = message.attempts.get()
    receipt(attempt, "sent", result="ignored")
    receipt(attempt, "read", raw={"status": "read", "id": "wamid.1"})
    receipt(attempt, "", result="not_understood", raw={"what": "is this"})
    receipt(attempt, "delivered", result="")

    text = page(agent, message)

    assert "Attempt 1: delivered and read" in text
    assert "Receipt: sent" in text
    assert "Said nothing new" in text
    assert '"id": "wamid.1"' in text
    assert "In words that are not known here" in text
    assert "Waits to be applied" in text


def test_an_unknown_outcome_is_explained(ours: World, agent: Client) -> None:
    message = tried(ours, "unknown", error_code="whatsapp:timeout")

    text = page(agent, message)

    assert "Nobody can tell whether this message arrived." in text
    assert "It is not sent again by itself" in text


@pytest.mark.parametrize(
    ("state", "title"), [("skipped", "Skipped on purpose"), ("cancelled", "Cancelled")]
)
def test_a_message_that_was_left_out_says_why(
    ours: World, agent: Client, state: str, title: str
) -> None:
    message = tried(ours, state, attempts=0, reason_of_skip="opted_out")

    text = page(agent, message)

    assert title in text
    assert "The member opted out." in text
    assert "What was not sent" in text
    assert "What the member saw" not in text


def test_a_message_without_content_has_a_page(ours: World, agent: Client) -> None:
    message = tried(ours, "skipped", attempts=0, reason_of_skip="no_route")
    Message.objects.filter(pk=message.pk).update(
        content=None, integration=None, channel="", recipient=""
    )

    assert "Nothing was chosen" in page(agent, message)


def test_it_shows_what_the_member_saw(ours: World, agent: Client) -> None:
    flow = Content.objects.create(
        organization=ours.organization,
        kind="flow",
        payload={
            "parts": [
                {"kind": "text", "payload": {"text": "Hi {{first_name}} <i>you</i>"}},
                {
                    "kind": "interactive",
                    "payload": {
                        "body": "Coming?",
                        "buttons": [{"id": "y", "title": "Yes, please"}],
                    },
                },
            ]
        },
    )
    message = tried(ours, "delivered", content=flow)

    markup = source(agent, message)

    assert "Hi Ama &lt;i&gt;you&lt;/i&gt;" in markup
    assert "Yes, please" in words(markup)
    assert "What the member saw" in markup


def test_credits_are_told_line_by_line(ours: World, agent: Client) -> None:
    message = tried(ours, "delivered", attempts=2)

    text = page(agent, message)

    assert re.search(r"Hold .* 1 1 Release .* 1 1 Hold .* 2 1 Charge .* 2 1", text)


def test_runs_of_the_chain_lead_to_each_other(ours: World, agent: Client) -> None:
    member = ours.contact()
    first_run = ours.broadcast(name="First run")
    second_run = ours.broadcast(name="Second run")
    first = tried(ours, "failed", contact=member, broadcast_id=first_run.pk)
    second = tried(
        ours, "delivered", contact=member, broadcast_id=second_run.pk, root=first
    )

    on_first, on_second = source(agent, first), source(agent, second)

    assert f'href="/messages/{second.pk}/"' in on_first
    assert "Second run" in on_first
    assert "Later run" in on_first
    assert f'href="/messages/{first.pk}/"' in on_second
    assert "Earlier run" in on_second


def test_the_broadcast_is_linked(ours: World, agent: Client) -> None:
    broadcast = ours.broadcast(name="Renewal <1>")
    message = tried(ours, "sent", broadcast_id=broadcast.pk)

    markup = source(agent, message)

    url = reverse("broadcasts:broadcast-detail", kwargs={"pk": broadcast.pk})
    assert f'href="{url}"' in markup
    assert "Renewal &lt;1&gt;" in markup


@pytest.mark.parametrize(
    ("state", "is_live"),
    [("queued", True), ("sending", True), ("sent", True), ("failed", False)],
)
def test_it_watches_what_is_under_way(
    ours: World, agent: Client, state: str, is_live: bool
) -> None:
    message = tried(ours, state)

    assert ("data-poll hx-get" in source(agent, message)) is is_live


def test_nothing_is_sent_while_nothing_changes(ours: World, agent: Client) -> None:
    message = tried(ours, "sending")
    watched = re.search(r'hx-get="([^"]+)"', source(agent, message))
    assert watched is not None

    assert agent.get(watched[1]).status_code == 204

    Message.objects.filter(pk=message.pk).update(
        state="failed",
        state_at=timezone.now(),
        error_code="whatsapp:131026",
        error_class="never",
    )
    changed = agent.get(watched[1])
    markup = changed.content.decode()
    assert changed.status_code == 200
    assert "data-poll hx-get" not in markup
    assert 'hx-swap-oob="true"' in markup
    assert "<html" not in markup


def test_a_number_that_stands_for_the_name_is_said_once(
    ours: World, agent: Client
) -> None:
    nameless = ours.contact(name="", phone="+233244000004", external_id="+233244000004")
    named = ours.contact(name="Ama Owusu", phone="+233244000005")

    alone = page(agent, ours.message(contact=nameless))
    beside = page(agent, ours.message(contact=named))

    assert "· +233244000004" not in alone
    assert "to Ama Owusu · +233244000005" in beside


@pytest.mark.parametrize("later", ["queued", "failed", "sent"])
def test_a_resend_does_not_change_who_made_the_message(
    ours: World, agent: Client, later: str
) -> None:
    message = tried(ours, "failed", actor="api", actor_name="Demo shop", asked_by="api")
    Message.objects.filter(pk=message.pk).update(
        asked_by="person", asked_by_name="Kofi Mensah"
    )
    if later == "queued":
        Message.objects.filter(pk=message.pk).update(
            state="queued", due_at=timezone.now() + timedelta(hours=1)
        )
    elif later == "sent":
        attempt(message, 2, "sent", actor="person", actor_name="Kofi Mensah")

    assert "Made by an API client." in page(agent, message)


def test_whoever_may_not_have_made_it_is_not_named(ours: World, agent: Client) -> None:
    # It failed before its first attempt, for want of credits; somebody asked again.
    message = ours.message(
        "failed",
        error_code="resend_admin:insufficient_credits",
        error_class="fix_first",
        asked_by="person",
    )
    untried = page(agent, message)
    attempt(message, 1, "sent", actor="person", actor_name="Kofi Mensah")
    Message.objects.filter(pk=message.pk).update(
        first_failed_at=timezone.now() - timedelta(hours=9)
    )

    assert "Made by" not in untried
    assert "Made by" not in page(agent, message)


@pytest.mark.parametrize(
    ("asked_by", "words"),
    [("api", "Made by an API client."), ("person", "Made by a person.")],
)
def test_a_new_message_says_who_made_it(
    ours: World, agent: Client, asked_by: str, words: str
) -> None:
    assert words in page(agent, ours.message(asked_by=asked_by))


def paused(world: World) -> Integration:
    return world.integration(
        name="Front desk", state="paused", state_reason="The token has expired."
    )


def test_what_waits_behind_a_pause_says_so(ours: World, agent: Client) -> None:
    message = ours.message(integration=paused(ours))

    text = page(agent, message)

    assert "Attempt 1 waits: its integration is paused" in text
    assert "“Front desk” is paused. The token has expired. Nothing is lost" in text
    assert "is planned" not in text
    assert "Resume it" not in text


def test_what_was_put_back_does_not_leave_by_itself(ours: World, agent: Client) -> None:
    message = tried(ours, "queued", integration=paused(ours))
    code = {"error_code": "resend_admin:not_sent", "error_class": "retry"}
    message.attempts.update(**code)

    before = page(agent, message)
    Integration.objects.update(state="active", state_reason="")
    after = page(agent, message)

    assert "it went back into the queue" in before
    assert "by itself" not in before
    assert "sent again by itself as soon as its integration sends" in after


def test_a_pause_that_ends_shows_without_a_reload(ours: World, agent: Client) -> None:
    message = ours.message(integration=paused(ours))
    watched = re.search(r'hx-get="([^"]+)"', source(agent, message))
    assert watched is not None
    assert agent.get(watched[1]).status_code == 204

    Integration.objects.update(state="active", state_reason="")
    changed = agent.get(watched[1])

    assert changed.status_code == 200
    assert "paused" not in words(changed.content.decode())


def test_what_is_due_is_not_planned_any_more(ours: World, agent: Client) -> None:
    due = ours.message(due_at=timezone.now() - timedelta(minutes=3))
    ahead = ours.message(due_at=timezone.now() + timedelta(minutes=3))

    assert "Attempt 1 waits its turn It is due" in page(agent, due)
    assert "Attempt 1 is planned in 3 minutes" in page(agent, ahead)


def test_a_failed_message_says_that_every_part_has_left_meanwhile(
    ours: World, editor: Client, agent: Client
) -> None:
    message = of_two_attempts(ours, ours.integration())
    asked_again(ours, message)
    got_through(message)
    assert message.integration is not None

    assert claim(message.integration, limit=1).attempts == []

    text = page(editor, message)
    assert "Attempt 3 did not leave" in text
    assert "The provider has every part of it, by several tries" in text
    assert EVERY_PART_SENT.sentence in text
    for shown in (text, page(agent, message)):
        assert "Will a retry help? Not needed" in shown
