"""``POST /send/audio``: from a clip to a message that can be sent again."""

from __future__ import annotations

import json
import threading
import uuid
from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from messaging import api_clients
from messaging.audio import fetching, jobs, transcoding
from messaging.audio.transcoding import Clip, transcode
from messaging.models import (
    ApiAccess,
    ApiClient,
    AudioJob,
    AuditEntry,
    Content,
    Integration,
    IntegrationState,
    Message,
)
from resend_admin.sandbox.thread import Sandbox
from tests.factories import World
from tests.messaging.api.callers import caller
from tests.messaging.api.test_retransmission import post, refusal, wrong_fields
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


class Inside(ThreadingHTTPServer):
    """A server in the own network that has a clip; it remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Inside)
        self.asked_for: list[str] = []
        self.port = self.server_address[1]


class _Inside(BaseHTTPRequestHandler):
    server: Inside

    def do_GET(self) -> None:
        self.server.asked_for.append(self.path)
        if self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{self.server.port}/clip")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        piece = wav() if self.path != "/endless" else b"RIFF" * 65_536
        try:
            for _ in range(1 if self.path != "/endless" else 1_000):
                self.wfile.write(piece)
        except OSError:
            pass  # The reader has heard enough.

    def log_message(self, *words: Any) -> None:
        """Say nothing."""


@pytest.fixture
def inside() -> Iterator[Inside]:
    server = Inside()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


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
    assert set(wrong_fields(response)) == {about}
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
    ("url", "why"),
    [
        ("http://127.0.0.1:1/a.mp3", "leads into a private network"),
        ("http://169.254.169.254/latest", "leads into a private network"),
        ("http://[::1]/a", "leads into a private network"),
        ("http://localhost/a", "leads into a private network"),
        ("ftp://x.example/a", "begins with https://"),
        ("file:///etc/passwd", "begins with https://"),
        ("http://user@x.example/a", "begins with https://"),
        ("http://[x/a", "begins with https://"),
        ("http://x.example:port/a", "could not be reached"),
    ],
)
def test_an_address_inside_is_not_fetched(
    gateway: Integration, token: str, url: str, why: str
) -> None:
    send(token, audio_url=url)
    jobs.run()

    job = AudioJob.objects.get()
    assert (job.state, job.error_code) == ("failed", "VALIDATION_ERROR")
    assert why in job.error
    assert not Message.objects.exists()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_clip_that_really_is_there_inside_is_not_fetched(
    gateway: Integration, token: str, inside: Inside, host: str
) -> None:
    send(token, audio_url=f"http://{host}:{inside.port}/clip.wav")
    jobs.run()

    assert inside.asked_for == []
    assert "leads into a private network" in AudioJob.objects.get().error


def test_an_address_that_leads_on_is_not_followed(
    gateway: Integration, token: str, inside: Inside, settings: Settings
) -> None:
    settings.FETCH_FROM_PRIVATE_ADDRESSES = True
    send(token, audio_url=f"http://127.0.0.1:{inside.port}/elsewhere")
    jobs.run()

    assert inside.asked_for == ["/elsewhere"]
    assert "status 302" in AudioJob.objects.get().error


def test_a_file_that_is_too_large_is_not_read_to_its_end(
    gateway: Integration, token: str, inside: Inside, settings: Settings
) -> None:
    settings.FETCH_FROM_PRIVATE_ADDRESSES = True
    send(token, audio_url=f"http://127.0.0.1:{inside.port}/endless")
    jobs.run()

    assert "larger than 16 MB" in AudioJob.objects.get().error


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


def test_a_clip_that_is_being_made_is_nobody_elses(
    gateway: Integration, token: str
) -> None:
    send(token)

    assert jobs._claim() is not None
    assert jobs._claim() is None


def test_two_workers_at_the_same_instant_claim_a_clip_once(
    gateway: Integration, token: str
) -> None:
    """The second one looks while the first one's claim is not committed yet."""
    send(token)
    claims: list[AudioJob | None] = []

    def second() -> None:
        try:
            claims.append(jobs._claim())
        finally:
            connection.close()

    worker = threading.Thread(target=second)
    with transaction.atomic():
        claims.append(jobs._claim())
        worker.start()
        # It passes the row by; whoever waits for it here would take it afterwards.
        worker.join(timeout=5)
        passed_by = not worker.is_alive()
    worker.join()

    assert passed_by
    assert [one is not None for one in claims] == [True, False]
    assert AudioJob.objects.get().tries == 1


def test_many_workers_transcode_and_send_each_clip_once(
    gateway: Integration,
    sandbox: Sandbox,
    token: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(4):
        send(token, number=f"551199999{number}001")
    made: list[int] = []
    one_after_another = threading.Lock()

    def counted(data: bytes) -> Clip:
        with one_after_another:
            made.append(len(data))
        return transcode(data)

    monkeypatch.setattr(jobs, "transcode", counted)

    def work() -> None:
        try:
            jobs.run()
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert len(made) == 4
    assert len(sandbox.accepted("gateway")) == 4
    assert set(AudioJob.objects.values_list("state", "tries")) == {("done", 1)}


@pytest.mark.parametrize("late_one_first", [True, False])
def test_a_worker_that_was_thought_dead_makes_no_second_message(
    gateway: Integration, sandbox: Sandbox, token: str, late_one_first: bool
) -> None:
    send(token)
    slow = jobs._claim()
    assert slow is not None
    AudioJob.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    again = jobs._claim()
    assert again is not None

    for job in (slow, again) if late_one_first else (again, slow):
        jobs._do(job)
        if job is slow and late_one_first:
            # It lost the clip, so it neither makes the message nor ends the job.
            assert not Message.objects.exists()
            assert AudioJob.objects.get().state == "running"

    assert len(sandbox.accepted("gateway")) == 1
    assert Message.objects.count() == 1
    assert Content.objects.count() == 1
    assert AudioJob.objects.get().state == "done"


def test_a_worker_that_was_thought_dead_fails_nothing(
    gateway: Integration, token: str
) -> None:
    send(token)
    slow = jobs._claim()
    assert slow is not None
    AudioJob.objects.update(lease_until=None)
    again = jobs._claim()
    assert again is not None
    slow.source = b"what this worker read is no audio"

    jobs._do(slow)
    assert AudioJob.objects.get().state == "running"
    jobs._do(again)
    assert AudioJob.objects.get().state == "done"


def test_the_lease_outlasts_all_that_happens_under_it() -> None:
    most = fetching.TIMEOUT_SECONDS + transcoding.PATIENCE_SECONDS
    assert jobs.LEASE.total_seconds() > 2 * most


def test_a_clip_is_sent_once_under_one_key(
    gateway: Integration, sandbox: Sandbox, token: str
) -> None:
    body = json.dumps({"number": NUMBER, "audio": b64encode(wav()).decode()})
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "order-7"}
    first, second = (
        Client().post(
            "/send/audio", body, content_type="application/json", headers=headers
        )
        for _ in range(2)
    )

    assert first.status_code == second.status_code == 202
    assert first.content == second.content
    assert second["Idempotency-Replayed"] == "true"
    assert jobs.run() == 1
    assert len(sandbox.accepted("gateway")) == 1


def test_who_sends_a_clip_stands_in_the_trail(gateway: Integration, token: str) -> None:
    send(token)

    [entry] = AuditEntry.objects.all()
    job = AudioJob.objects.get()
    assert (entry.actor, entry.actor_name) == ("api", "Shop (write)")
    assert entry.client_id == ApiClient.objects.get().pk
    assert (
        entry.sentence == f"Gave “{gateway.name}” an audio clip to send: job {job.uid}."
    )
    assert str(job.pk) in entry.link
    assert NUMBER not in entry.sentence


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
