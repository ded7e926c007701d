"""``Idempotency-Key``: once done, then repeated, for a day."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging import idempotency
from messaging.models import Attempt, Integration, KeptAnswer, Message
from tests.factories import World
from tests.messaging.api.callers import RESEND, SEND, Caller, problem
from tests.messaging.api.conftest import Fail

pytestmark = pytest.mark.django_db

HELLO = {"to": "233244000000", "type": "text", "text": {"body": "Hello"}}


def test_the_first_answer_is_repeated_and_nothing_is_done_twice(
    ours: World, whatsapp: Integration, writer: Caller
) -> None:
    first = writer.post(SEND, HELLO, Idempotency_Key="a")
    again = writer.post(SEND, HELLO, Idempotency_Key="a")

    assert first.status_code == again.status_code == 200
    assert first.content == again.content
    assert not first.has_header("Idempotency-Replayed")
    assert again["Idempotency-Replayed"] == "true"
    assert Message.objects.count() == 1
    ours.rest()
    assert writer.post(SEND, HELLO).status_code == 200
    assert Message.objects.count() == 2


def test_a_refusal_is_an_answer_too(failed: Fail, writer: Caller) -> None:
    message = failed("unknown", code="whatsapp:timeout", error_class="unknown")
    body = {"messageId": message.public_id}

    first = writer.post(RESEND, body, Idempotency_Key="a")
    Message.objects.update(
        state="failed", error_code="whatsapp:131000", error_class="retry"
    )
    again = writer.post(RESEND, body, Idempotency_Key="a")

    assert problem(first, 400) == "may_have_arrived"
    assert again.status_code == 400
    assert first.content == again.content
    assert writer.post(RESEND, body, Idempotency_Key="b").status_code == 200


def test_in_progress_decides_nothing_and_is_not_kept(
    failed: Fail, writer: Caller
) -> None:
    message = failed()
    body = {"messageId": message.public_id}
    Message.objects.filter(pk=message.pk).update(state="sending")

    assert problem(writer.post(RESEND, body, Idempotency_Key="a"), 409)
    Message.objects.filter(pk=message.pk).update(state="failed")
    assert writer.post(RESEND, body, Idempotency_Key="a").status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (SEND, {**HELLO, "text": {"body": "Bye"}}),
        (RESEND, HELLO),
        (f"{RESEND}/ra_whatsapp_1_abc123def", None),
    ],
)
def test_another_request_under_the_key_is_refused(
    whatsapp: Integration, writer: Caller, path: str, body: object
) -> None:
    writer.post(SEND, HELLO, Idempotency_Key="a")
    body = {"messageId": "ra_whatsapp_1_abc123def"} if path == RESEND else body

    response = writer.post(path, body, Idempotency_Key="a")

    assert problem(response, 422) == "idempotency_key_reused"
    assert Message.objects.count() == 1


def test_what_broke_off_is_not_done_again_by_itself(
    whatsapp: Integration, writer: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("messaging.sending.send_new", lambda **values: 1 / 0)
        first = writer.post(SEND, HELLO, Idempotency_Key="a")
    again = writer.post(SEND, HELLO, Idempotency_Key="a")

    assert problem(first, 500) == "internal_error"
    assert problem(again, 409) == "idempotency_in_progress"
    assert Message.objects.count() == 0


def test_invalid_requests_take_no_key(whatsapp: Integration, writer: Caller) -> None:
    assert writer.post(SEND, {"to": "1"}, Idempotency_Key="a").status_code == 400
    assert writer.post(SEND, HELLO, Idempotency_Key="a").status_code == 200


def test_a_day_later_the_key_is_free_and_the_answer_gone(
    ours: World, whatsapp: Integration, writer: Caller
) -> None:
    for key in "ab":
        writer.post(SEND, HELLO, Idempotency_Key=key)
    KeptAnswer.objects.update(created_at=timezone.now() - timedelta(hours=25))

    ours.rest()

    other = {**HELLO, "text": {"body": "Bye"}}
    assert writer.post(SEND, other, Idempotency_Key="a").status_code == 200
    assert Message.objects.count() == 3
    assert idempotency.prune() == 1
    assert [kept.key for kept in KeptAnswer.objects.all()] == ["a"]


def test_the_key_of_another_client_is_another_key(
    failed: Fail, writer: Caller, stranger: Caller
) -> None:
    body = {"messageId": failed().public_id}

    assert problem(stranger.post(RESEND, body, Idempotency_Key="a"), 404)
    for is_repeat in (False, True):
        answer = writer.post(RESEND, body, Idempotency_Key="a")
        assert answer.status_code == 200
        assert (answer.headers.get("Idempotency-Replayed") == "true") is is_repeat
    assert Attempt.objects.count() == 2
