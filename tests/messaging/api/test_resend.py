"""``POST /v1/whatsapp/resend``: the vendor's answer, and every refusal."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from messaging.models import Attempt, Content, Integration, IntegrationPace, Message
from tests.factories import World
from tests.messaging.api.callers import RESEND, Caller, problem, settled
from tests.messaging.api.conftest import Fail

pytestmark = pytest.mark.django_db

FIELDS = [
    "messageId",
    "originalMessageId",
    "status",
    "to",
    "resendAttempt",
    "cost",
    "deliveredAt",
]
UNKNOWN_ID = "ra_whatsapp_123456789_abc123def"


def test_the_answer_has_the_vendors_fields_and_no_others(
    failed: Fail, writer: Caller
) -> None:
    message = failed()

    response = writer.post(RESEND, {"messageId": message.public_id})

    assert response.status_code == 200
    body = response.json()
    assert list(body) == ["success", "message", "data"]
    assert body["success"] is True
    assert body["message"] == "WhatsApp message resent successfully"
    assert list(body["data"]) == FIELDS
    attempt = message.attempts.get(number=2)
    assert body["data"] == {
        "messageId": attempt.public_id,
        "originalMessageId": message.public_id,
        "status": "sent",
        "to": message.recipient.removeprefix("+"),
        "resendAttempt": 1,
        "cost": 1,
        "deliveredAt": None,
    }
    assert (attempt.actor, attempt.actor_name) == ("api", writer.client.name)


def test_the_path_names_the_message_as_well(failed: Fail, writer: Caller) -> None:
    message = failed()

    response = writer.post(f"{RESEND}/{message.public_id}")

    assert response.status_code == 200
    assert response.json()["data"]["originalMessageId"] == message.public_id


def test_the_body_may_repeat_the_path_but_not_contradict_it(
    failed: Fail, writer: Caller
) -> None:
    message, other = failed(), failed()
    path = f"{RESEND}/{message.public_id}"

    contradicted = writer.post(path, {"messageId": other.public_id})
    assert problem(contradicted, 400) == "invalid_request"
    assert writer.post(path, {"messageId": message.public_id}).status_code == 200


def test_the_id_of_an_attempt_leads_to_its_message(
    failed: Fail, writer: Caller
) -> None:
    message = failed()
    attempt = message.attempts.get()

    response = writer.post(RESEND, {"messageId": attempt.public_id})

    assert response.json()["data"]["originalMessageId"] == message.public_id


def test_resends_are_counted_from_one_to_five(
    whatsapp: Integration, failed: Fail, writer: Caller
) -> None:
    message = failed(last_digits="0002")
    numbers = []
    for _ in range(5):
        response = writer.post(RESEND, {"messageId": message.public_id})
        assert response.status_code == 200, response.content
        numbers.append(response.json()["data"]["resendAttempt"])
        Message.objects.update(error_code="whatsapp:131000", error_class="retry")

    sixth = writer.post(RESEND, {"messageId": message.public_id})
    assert numbers == [1, 2, 3, 4, 5]
    assert problem(sixth, 400) == "limit_reached"


def test_what_the_provider_refuses_again_is_told_and_costs_nothing(
    failed: Fail, writer: Caller
) -> None:
    message = failed(last_digits="0002")

    body = writer.post(RESEND, {"messageId": message.public_id}).json()

    assert body["message"] == "The provider refused the WhatsApp message"
    assert list(body["data"]) == FIELDS
    assert (body["data"]["status"], body["data"]["cost"]) == ("failed", 0)


def test_scheduled_answers_202_and_when(failed: Fail, writer: Caller) -> None:
    message = failed()
    at = (timezone.now() + timedelta(hours=2)).replace(microsecond=0)

    response = writer.post(
        RESEND,
        {
            "messageId": message.public_id,
            "scheduleAt": at.isoformat(),
            "reason": "The member called",
        },
    )

    assert response.status_code == 202
    data = response.json()["data"]
    assert list(data) == [*FIELDS[:-1], "scheduledFor"]
    told = datetime.strptime(data["scheduledFor"], "%Y-%m-%dT%H:%M:%SZ")
    assert abs(told.replace(tzinfo=UTC) - at) <= timedelta(seconds=1)
    assert (data["status"], data["resendAttempt"], data["cost"]) == ("pending", 1, 1)
    message.refresh_from_db()
    assert (message.state, message.asked_reason) == ("queued", "The member called")
    waiting = writer.post(RESEND, {"messageId": message.public_id})
    assert problem(waiting, 409) == "already_waiting"


def test_an_error_that_demands_a_pause_is_scheduled(
    failed: Fail, writer: Caller
) -> None:
    message = failed(code="whatsapp:131049", error_class="wait")

    response = writer.post(RESEND, {"messageId": message.public_id})

    assert response.status_code == 202


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (timedelta(minutes=-5), "time_past"),
        (timedelta(hours=60), "too_old_by_then"),
    ],
)
def test_times_that_make_no_sense_are_refused(
    failed: Fail, writer: Caller, at: timedelta, code: str
) -> None:
    message = failed()

    response = writer.post(
        RESEND,
        {
            "messageId": message.public_id,
            "scheduleAt": (timezone.now() + at).isoformat(),
        },
    )

    assert problem(response, 400) == code


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"created_at": timedelta(hours=49)}, 400, "too_old"),
        ({"error_code": "whatsapp:131026"}, 400, "will_not_help"),
        ({"error_code": "whatsapp:131047"}, 400, "fix_first"),
        ({"state": "skipped", "reason": "no_route"}, 400, "skipped"),
        ({"state": "cancelled", "reason": "cancelled"}, 400, "cancelled"),
        ({"state": "sent"}, 400, "already_sent"),
        ({"state": "unknown"}, 400, "may_have_arrived"),
        ({"state": "sending"}, 409, "in_progress"),
        ({"state": "queued", "due_at": timedelta()}, 409, "already_waiting"),
    ],
)
def test_refusals_keep_their_code(
    failed: Fail, writer: Caller, change: dict[str, Any], status: int, code: str
) -> None:
    message = failed()
    values = {
        name: timezone.now() - value if isinstance(value, timedelta) else value
        for name, value in change.items()
    }
    Message.objects.filter(pk=message.pk).update(**values)

    response = writer.post(RESEND, {"messageId": message.public_id})

    assert problem(response, status) == code
    assert Attempt.objects.count() == 1


def test_delivered_messages_are_not_resent_here(failed: Fail, writer: Caller) -> None:
    message = failed("delivered")

    response = writer.post(RESEND, {"messageId": message.public_id})

    assert problem(response, 400) == "already_delivered"


def test_without_credits_it_is_refused(
    theirs: World, failed: Fail, writer: Caller
) -> None:
    message = failed()
    Integration.objects.update(credit_price=32_000)
    theirs.top_up(1)
    for _ in range(31):
        failed("sent")

    response = writer.post(RESEND, {"messageId": message.public_id})

    assert problem(response, 400) == "insufficient_credits"


def test_an_unknown_outcome_takes_the_acceptance_of_a_duplicate(
    failed: Fail, writer: Caller
) -> None:
    message = failed("unknown", code="whatsapp:timeout", error_class="unknown")
    body = {"messageId": message.public_id}

    assert problem(writer.post(RESEND, body), 400) == "may_have_arrived"
    accepted = writer.post(RESEND, {**body, "acceptDuplicate": True})
    assert accepted.status_code == 200


@pytest.mark.parametrize(
    "message_id",
    [
        UNKNOWN_ID,
        "ra_whatsapp_resend_1_abc123def",
        "exa_wa_123456789_abc123def",
        f"ra_whatsapp_{2**63}_abc123def",
        "ra_whatsapp_9999999999999999999_abc123def",
        "ra_whatsapp_\u0661_abc123def",
        "",
        "x" * 100,
    ],
)
def test_an_id_that_names_nothing_is_not_found(writer: Caller, message_id: str) -> None:
    response = writer.post(RESEND, {"messageId": message_id})

    assert problem(response, 404) == "message_not_found"


def test_the_digits_at_the_end_must_fit(failed: Fail, writer: Caller) -> None:
    message = failed()
    guessed = f"ra_whatsapp_{message.pk}_000000000"

    assert problem(writer.post(RESEND, {"messageId": guessed}), 404)


def test_other_channels_have_no_resend_here(ours: World, writer: Caller) -> None:
    sms = ours.integration("twilio")
    message = settled(sms, ours.message(integration=sms), code="sms:30008")
    disguised = message.public_id.replace("ra_sms", "ra_whatsapp")

    for message_id in (message.public_id, disguised):
        response = writer.post(RESEND, {"messageId": message_id})
        assert problem(response, 404) == "message_not_found"


def test_messages_of_others_are_not_found(failed: Fail, stranger: Caller) -> None:
    message = failed()

    for message_id in (message.public_id, message.attempts.get().public_id):
        by_body = stranger.post(RESEND, {"messageId": message_id})
        by_path = stranger.post(f"{RESEND}/{message_id}")
        assert problem(by_body, 404) == "message_not_found"
        assert problem(by_path, 404) == "message_not_found"
    assert Attempt.objects.count() == 1


def test_a_pause_of_the_provider_makes_it_wait(failed: Fail, writer: Caller) -> None:
    message = failed()
    IntegrationPace.objects.update(paused_until=timezone.now() + timedelta(minutes=9))

    response = writer.post(RESEND, {"messageId": message.public_id})

    assert response.status_code == 202
    assert response.json()["data"]["status"] == "pending"


def test_the_vendors_own_prefix_names_the_same_message(
    failed: Fail, writer: Caller
) -> None:
    message = failed()
    message_id = message.public_id.replace("ra_whatsapp_", "exa_wa_")

    assert writer.post(RESEND, {"messageId": message_id}).status_code == 200


@pytest.fixture
def shelf(settings: Settings) -> Iterator[str]:
    """A web server that has one picture, for what people put on the web."""

    class Shelf(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            found = self.path == "/cat.jpg"
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "image/jpeg")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Stay silent."""

    settings.FETCH_FROM_PRIVATE_ADDRESSES = True
    server = HTTPServer(("127.0.0.1", 0), Shelf)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def picture(ours: World, failed: Fail) -> Message:
    """A picture that failed because its link leads nowhere."""
    content = Content.objects.create(
        organization=ours.organization,
        kind="image",
        payload={"url": "https://example.org/gone.jpg", "caption": "Cat"},
    )
    return failed(code="whatsapp:131053", error_class="fix_first", content=content)


def test_a_working_link_goes_out_and_the_original_stays(
    picture: Message, writer: Caller, shelf: str
) -> None:
    body = {"messageId": picture.public_id}

    assert problem(writer.post(RESEND, body), 400) == "fix_first"
    response = writer.post(RESEND, {**body, "mediaUrl": f"{shelf}/cat.jpg"})

    assert response.status_code == 200, response.content
    first, second = picture.attempts.order_by("number")
    assert first.content.payload["url"] == "https://example.org/gone.jpg"
    assert second.content.payload == {"url": f"{shelf}/cat.jpg", "caption": "Cat"}


def test_a_link_that_leads_nowhere_is_refused(
    picture: Message, writer: Caller, shelf: str
) -> None:
    response = writer.post(
        RESEND, {"messageId": picture.public_id, "mediaUrl": f"{shelf}/dog.jpg"}
    )

    assert problem(response, 400) == "media_unusable"
    assert response.json()["errors"][0]["field"] == "mediaUrl"
    assert picture.attempts.count() == 1


def test_a_link_does_not_help_what_may_not_be_resent(
    failed: Fail, writer: Caller, shelf: str
) -> None:
    message = failed("delivered")

    response = writer.post(
        RESEND, {"messageId": message.public_id, "mediaUrl": f"{shelf}/cat.jpg"}
    )

    assert problem(response, 400) == "already_delivered"


def test_wrong_methods_are_refused_in_the_envelope(
    failed: Fail, writer: Caller
) -> None:
    for path in (RESEND, f"{RESEND}/{UNKNOWN_ID}"):
        response = writer.get(path)
        assert problem(response, 405) == "method_not_allowed"
        assert response["Allow"] == "POST"


def test_answers_are_not_cached(failed: Fail, writer: Caller) -> None:
    response = writer.post(RESEND, {"messageId": UNKNOWN_ID})

    assert response["Cache-Control"] == "no-store"
    assert json.loads(response.content)["success"] is False
