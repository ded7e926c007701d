"""``POST /send/audio``: from a clip to a message that can be sent again."""

from __future__ import annotations

import json
import threading
import uuid
from base64 import b64encode
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from messaging import api_clients
from messaging.audio import jobs
from messaging.models import (
    ApiAccess,
    AudioJob,
    Content,
    Integration,
    IntegrationState,
    Message,
)
from resend_admin.sandbox.thread import Sandbox
from tests.factories import World
from tests.messaging.api.callers import caller
from tests.messaging.api.test_retransmission import post, refusal
from tests.messaging.audio.clips import wav

pytestmark = pytest.mark.django_db(transaction=True)
NUMBER = "5511999990001"


@pytest.fixture(autouse=True)
def nobody_waits(settings: Settings) -> None:
    settings.AUDIO_WAIT_SECONDS = 0


@pytest.fixture
def gateway(ours: World, sandbox: Sandbox) -> Integration:
    return ours.integration(
        "device_gateway", settings={"base_url": sandbox.base_url("device_gateway")}
    )


@pytest.fixture
def token(ours: World) -> str:
    return api_clients.rotate_bearer(caller(ours).client)


def send(token: str, **fields: Any) -> Any:
    if "audio_url" not in fields:
        fields.setdefault("audio", b64encode(wav()).decode())
    return post("/send/audio", {"number": NUMBER, **fields}, f"Bearer {token}")


def job_of(token: str, job_id: str) -> Any:
    return Client().get(f"/jobs/{job_id}", headers={"Authorization": f"Bearer {token}"})


def test_a_clip_becomes_a_message_by_a_job(
    gateway: Integration, sandbox: Sandbox, token: str, ours: World
) -> None:
    response = send(token, ptt=True, number="+55 (11) 99999-0001")

    assert response.status_code == 202
    body = json.loads(response.content)
    assert list(body) == ["success", "timestamp", "status", "chat_jid", "job_id"]
    assert (body["status"], body["chat_jid"]) == (
        "processing",
        "5511999990001@s.whatsapp.net",
    )
    assert jobs.run() == 1

    told = json.loads(job_of(token, body["job_id"]).content)
    assert told["status"] == "sent"
    assert told["metadata"]["original_format"] == "audio/wav"
    assert told["metadata"]["audio_duration_seconds"] == 1.0
    [entry] = sandbox.accepted("gateway")
    assert (entry.recipient, entry.provider_id) == (NUMBER, told["message_id"])
    message = Message.objects.get()
    assert (message.state, message.recipient) == ("sent", f"+{NUMBER}")
    assert message.asked_by_name == "Shop (write)"
    assert ours.account.held == 1
    content = Content.objects.get()
    assert (content.kind, content.payload["ptt"]) == ("audio", True)
    path = content.payload["url"].partition("/audio/")[2]
    file = Client().get(f"/audio/{path}")
    assert file["Content-Type"] == "audio/ogg"
    assert file.content.startswith(b"OggS")


def test_a_small_clip_is_answered_when_it_was_sent(
    gateway: Integration, token: str, settings: Settings
) -> None:
    settings.AUDIO_WAIT_SECONDS = 20
    stop = threading.Event()

    def work() -> None:
        try:
            while not stop.is_set():
                jobs.run()
                stop.wait(0.05)
        finally:
            connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        response = send(token)
    finally:
        stop.set()
        worker.join()

    assert response.status_code == 200
    body = json.loads(response.content)
    assert list(body) == [
        "success",
        "message_id",
        "timestamp",
        "status",
        "chat_jid",
        "metadata",
    ]
    assert body["status"] == "sent"
    assert body["message_id"].startswith("3EB0")


@pytest.mark.parametrize(
    ("fields", "about"),
    [
        ({"number": "12"}, "number"),
        ({"number": "120363039000000000@g.us"}, "number"),
        ({"audio": "no base64!"}, "audio"),
        ({"audio": ""}, "audio"),
        ({"audio_url": "https://x.example/a.mp3", "audio": "AAAA"}, "audio"),
        ({"audio": None}, "audio"),
        ({"mentions": ["somebody"]}, "mentions"),
        ({"quoted": {"key": {"id": "a b"}}}, "quoted"),
        ({"delay": 61}, "delay"),
        ({"ptt": "yes"}, "ptt"),
    ],
)
def test_what_is_wrong_is_named(
    gateway: Integration, token: str, fields: dict[str, Any], about: str
) -> None:
    response = send(token, **fields)

    assert refusal(response, 400) == "VALIDATION_ERROR"
    assert about in json.loads(response.content)["error"]
    assert not AudioJob.objects.exists()


def test_what_is_no_audio_fails_its_job_in_words(
    gateway: Integration, token: str
) -> None:
    accepted = send(token, audio=b64encode(b"<html>not sound</html>").decode())
    jobs.run()

    told = json.loads(job_of(token, json.loads(accepted.content)["job_id"]).content)
    assert (told["status"], told["error_code"]) == ("failed", "VALIDATION_ERROR")
    assert "no audio that is known" in told["error"]
    assert not Message.objects.exists()
    assert AudioJob.objects.get().source is None


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/a.mp3",
        "http://169.254.169.254/latest",
        "http://[::1]/a",
        "http://localhost/a",
        "ftp://x.example/a",
        "file:///etc/passwd",
        "http://user@x.example/a",
    ],
)
def test_an_address_inside_is_not_fetched(
    gateway: Integration, token: str, url: str
) -> None:
    send(token, audio_url=url)
    jobs.run()

    job = AudioJob.objects.get()
    assert job.state == "failed"
    assert job.error.endswith(".")
    assert not Message.objects.exists()


def test_a_clip_is_fetched_from_its_address(
    gateway: Integration, token: str, settings: Settings, live_server: Any
) -> None:
    settings.FETCH_FROM_PRIVATE_ADDRESSES = True
    send(token)
    jobs.run()
    first = AudioJob.objects.get()

    send(token, audio_url=f"{live_server.url}/audio/{first.uid}.ogg", view_once=True)
    jobs.run()

    second = AudioJob.objects.order_by("pk").last()
    assert second is not None
    assert (second.state, second.facts["original_format"]) == ("done", "audio/ogg")
    assert second.options == {"view_once": True}


def test_two_workers_make_one_message(gateway: Integration, token: str) -> None:
    send(token)
    job = jobs._claim()
    assert job is not None
    assert jobs._claim() is None
    # The first one is thought to be dead; both come to the end.
    AudioJob.objects.update(lease_until=None)
    again = jobs._claim()
    assert again is not None
    jobs._do(again)
    jobs._do(job)

    assert Message.objects.count() == 1
    assert Content.objects.count() == 1


def test_a_clip_that_keeps_killing_workers_is_given_up(
    gateway: Integration, token: str
) -> None:
    send(token)
    AudioJob.objects.update(state="running", tries=3, lease_until=None)

    jobs.run()

    assert AudioJob.objects.get().error_code == "CONVERSION_FAILED"


def test_without_credits_nothing_is_sent(
    gateway: Integration, token: str, ours: World
) -> None:
    type(ours.account).objects.update(available=0)
    send(token)
    jobs.run()

    job = AudioJob.objects.get()
    assert (job.state, job.error_code) == ("failed", "INSUFFICIENT_CREDITS")
    assert not Message.objects.exists()
    assert not Content.objects.exists()


def test_an_integration_that_is_off_sends_nothing(
    gateway: Integration, token: str
) -> None:
    gateway.state = IntegrationState.OFF
    gateway.save()

    assert refusal(send(token), 404) == "NOT_FOUND"


def test_a_body_that_is_too_large_is_refused(gateway: Integration, token: str) -> None:
    response = send(token, audio="A" * (6 * 1024 * 1024))

    assert refusal(response, 413) == "BODY_TOO_LARGE"


def test_another_organizations_job_is_not_found(
    gateway: Integration, token: str, theirs: World
) -> None:
    job_id = json.loads(send(token).content)["job_id"]
    foreign = api_clients.rotate_bearer(caller(theirs).client)

    for one in (job_id, str(uuid.uuid4()), "x"):
        assert refusal(job_of(foreign, one), 404) == "NOT_FOUND"


def test_who_may_only_read_may_ask_but_not_send(
    gateway: Integration, token: str, ours: World
) -> None:
    job_id = json.loads(send(token).content)["job_id"]
    client = caller(ours, ApiAccess.READ, name="Reader").client
    reader = api_clients.rotate_bearer(client)

    assert job_of(reader, job_id).status_code == 200
    assert refusal(send(reader), 403) == "FORBIDDEN"


def test_an_unfinished_clip_has_no_file(gateway: Integration, token: str) -> None:
    send(token)
    uid = AudioJob.objects.get().uid

    assert Client().get(f"/audio/{uid}.ogg").status_code == 404
    assert Client().get(f"/audio/{uuid.uuid4()}.ogg").status_code == 404
