"""What stands in the log: numbers and fixed words, no person and no secret."""

from __future__ import annotations

import io
import json
import logging
import logging.config
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from celery import current_app
from django.conf import settings as django_settings
from django.db import IntegrityError, transaction
from django.test import Client
from pytest_django import Settings

from broadcasts import run
from messaging import doubt, receipts, tasks
from messaging.channels.whatsapp_cloud import WhatsAppCloud
from messaging.dispatch import doorbell, pace, pulse, pump
from messaging.dispatch.claim import claim
from messaging.dispatch.rescue import rescue
from messaging.models import Actor, Attempt, Content, Integration, Message
from messaging.sending import Asker
from resend_admin.checks import check_logs
from resend_admin.logs import Json, Line, log_each, named, redacted
from resend_admin.sandbox.thread import Sandbox
from tests.factories import CREDENTIALS, World

pytestmark = pytest.mark.django_db

PHONE = "+233244123456"
TEXT = "Your appointment with Dr Mensah is on Tuesday"


class Log:
    """Everything that was logged, in both formats, as it leaves the process."""

    def __init__(self) -> None:
        self.json, self.line = io.StringIO(), io.StringIO()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(one) for one in self.json.getvalue().splitlines()]

    @property
    def text(self) -> str:
        return self.json.getvalue() + self.line.getvalue()

    def named(self, message: str) -> dict[str, Any]:
        [found] = [one for one in self.lines if one["message"] == message]
        return found


@pytest.fixture
def log() -> Iterator[Log]:
    """Catch everything, also what DEBUG would say, behind the project's handler."""
    gathered = Log()
    loggers = [logging.getLogger(name) for name in ("", "celery", "django.server")]
    before = [one.level for one in loggers]
    handlers: list[logging.Handler] = []
    for stream, formatter in ((gathered.json, Json()), (gathered.line, Line())):
        one_of_two = logging.StreamHandler(stream)
        one_of_two.setFormatter(formatter)
        handlers.append(one_of_two)
        loggers[0].addHandler(one_of_two)
    for one in loggers:
        one.setLevel(logging.DEBUG)
    # psycopg and Django show statements at DEBUG: nobody may turn that on by root.
    logging.getLogger("django.db.backends").setLevel(logging.INFO)
    yield gathered
    for one, level in zip(loggers, before, strict=True):
        one.setLevel(level)
    for handler in handlers:
        loggers[0].removeHandler(handler)


@pytest.fixture
def whatsapp(ours: World, sandbox: Sandbox) -> Integration:
    made = ours.integration(
        name="Front desk of Dr Mensah",
        settings={"base_url": sandbox.base_url("whatsapp_cloud")},
    )
    pulse.beat()
    pace.prepare(made.pk)
    return made


def secrets() -> list[str]:
    """Return every credential that the factories hand out and that is no word."""
    values = [value for one in CREDENTIALS.values() for value in one.values()]
    return [value for value in values if len(value) > 6]


def nothing_private(log: Log, *more: str) -> None:
    people = [PHONE, PHONE[1:], PHONE[4:], TEXT, "Mensah", "Ama Owusu", *more]
    assert [one for one in (*people, *secrets()) if one in log.text] == []


def to_send(ours: World, whatsapp: Integration, number: int = 1) -> list[Message]:
    content = Content.objects.create(
        organization=ours.organization, kind="text", payload={"text": TEXT}
    )
    broadcast = ours.broadcast("sending", content=content)
    return [
        ours.message(
            integration=whatsapp,
            content=content,
            broadcast_id=broadcast.pk,
            contact=ours.contact(
                name="Ama Owusu",
                phone=f"+2332441{10 + at}{digits}" if at else PHONE,
            ),
        )
        for at, digits in zip(
            range(number), ["", "0002", "0004", "0005", "0006"] * number, strict=False
        )
    ]


@pytest.mark.django_db(transaction=True)
def test_a_run_with_failures_names_nobody(
    ours: World, whatsapp: Integration, log: Log
) -> None:
    to_send(ours, whatsapp, 5)

    pump.run(whatsapp.pk)

    states = set(Message.objects.values_list("state", flat=True))
    assert "failed" in states
    settled = log.named("Settled attempts")
    assert settled["integration_id"] == whatsapp.pk
    assert settled["organization_id"] == ours.organization.pk
    assert settled["counts"]["settled"] >= 5
    phones = Message.objects.values_list("recipient", flat=True)
    nothing_private(log, *phones, *(one[1:] for one in phones))


@pytest.mark.django_db(transaction=True)
def test_a_channel_that_breaks_quotes_nothing(
    ours: World, whatsapp: Integration, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    [message] = to_send(ours, whatsapp)

    def burst(self: Any, kind: str, payload: Any) -> list[str]:
        try:
            raise KeyError(payload["text"])
        except KeyError as error:
            problem = f"cannot send {payload['text']} to {PHONE} with app-secret"
            raise ValueError(problem) from error

    monkeypatch.setattr(WhatsAppCloud, "refusals", burst)

    pump.run(whatsapp.pk)

    broken = log.named("An attempt broke while it was sent")
    attempt = Attempt.objects.get()
    assert (broken["attempt_id"], broken["message_id"]) == (attempt.pk, message.pk)
    assert broken["error"] == "ValueError"
    assert "in burst" in broken["traceback"]
    assert broken["traceback"].splitlines()[-1] == "ValueError"
    assert "KeyError" in broken["traceback"]
    unknown = log.named("Nobody can tell whether an attempt arrived")
    assert (unknown["attempt_id"], unknown["message_id"]) == (attempt.pk, message.pk)
    assert unknown["code"] == "resend_admin:worker_lost"
    nothing_private(log)


def test_a_bad_hook_quotes_nothing(ours: World, log: Log, client: Client) -> None:
    integration = ours.integration()
    body = json.dumps({"text": TEXT, "from": PHONE, "secret": "app-secret"})

    for address in (f"/hooks/{integration.uid}", f"/hooks/{uuid.uuid4()}"):
        for content in (body, body[:-3], "\x00", '{"entry": [{"changes": 7}]}'):
            client.post(address, content, content_type="application/json")
    receipts.apply()

    nothing_private(log)


def test_a_task_that_fails_quotes_neither_its_error_nor_its_arguments(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(integration_id: int) -> int:
        raise RuntimeError(f"{TEXT} for {PHONE}")

    monkeypatch.setattr("messaging.tasks.doorbell.ring", lambda: broken(1))
    from celery.app.trace import build_tracer

    tracer = build_tracer(tasks.ring.name, tasks.ring, app=tasks.ring.app)
    tracer(str(uuid.uuid4()), [], {}, {"argsrepr": f"({PHONE!r},)", "hostname": "here"})

    [failed] = [one for one in log.lines if one["logger"] == "celery.app.trace"]
    assert failed["error"] == "RuntimeError"
    assert "messaging.tasks.ring" in failed["message"]
    nothing_private(log)


def test_a_broken_constraint_does_not_show_the_row(ours: World, log: Log) -> None:
    message = ours.message(contact=ours.contact(name="Ama Owusu", phone=PHONE))
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        Message.objects.filter(pk=message.pk).update(state="nonsense")
    assert PHONE in str(caught.value)

    logging.getLogger("messaging").exception("It broke", exc_info=caught.value)

    assert log.named("It broke")["error"] == "django.db.utils.IntegrityError"
    nothing_private(log)


def test_a_page_that_breaks_quotes_nothing(
    ours: World, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = ours.message(contact=ours.contact(name="Ama Owusu", phone=PHONE))
    client = Client(raise_request_exception=False)
    client.force_login(ours.editor)

    def burst(*args: Any, **kwargs: Any) -> str:
        raise ValueError(f"{TEXT} {PHONE}")

    monkeypatch.setattr("messaging.views.messages.title_of", burst)
    answer = client.get(f"/messages/{message.pk}/?q={PHONE}")

    assert answer.status_code == 500
    failed = log.named(f"Internal Server Error: /messages/{message.pk}/")
    assert failed["status_code"] == 500
    assert failed["error"] == "ValueError"
    nothing_private(log)


def test_a_broadcast_that_cannot_be_filled_is_named_by_its_number(
    ours: World, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    broadcast = ours.broadcast("sending", name="Dr Mensah's patients")

    def burst(broadcast_id: int) -> bool:
        raise ValueError(TEXT)

    monkeypatch.setattr(run, "fill_page", burst)
    run.fill_all(deadline=float("inf"))

    found = log.named("A broadcast could not be filled; the next tick tries")
    assert found["broadcast_id"] == broadcast.pk
    nothing_private(log)


def test_a_broker_that_is_away_is_said_without_its_password(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise ConnectionError("redis://:hunter2-secret@broker:6379 refused")

    monkeypatch.setattr(current_app, "send_task", away)
    doorbell.call("messaging.tasks.ring")

    [found] = [one for one in log.lines if one["logger"] == doorbell.__name__]
    assert found["task"] == "messaging.tasks.ring"
    assert "broker:6379 refused" in found["message"]
    nothing_private(log, "hunter2")


# The format


def test_every_line_is_one_object_with_time_level_and_logger(log: Log) -> None:
    logging.getLogger("messaging").info(
        "Two\nlines and “quotes”", extra={"message_id": 12_345_678_901}
    )

    [line] = log.lines
    assert line["message"] == "Two\nlines and “quotes”"
    assert line["message_id"] == 12_345_678_901
    assert line["level"] == "INFO"
    assert line["logger"] == "messaging"
    assert line["time"].endswith("Z")
    assert log.json.getvalue().count("\n") == 1


def test_the_readable_line_ends_with_its_context(log: Log) -> None:
    logging.getLogger("messaging").warning("Done", extra={"attempt_id": 7})

    assert log.line.getvalue().endswith("WARNING messaging Done [attempt_id=7]\n")


def test_of_very_many_the_first_are_named_and_the_rest_counted(log: Log) -> None:
    rows = [{"attempt_id": number} for number in range(1, 26)]

    log_each(logging.getLogger("here"), logging.WARNING, "It is unknown", rows)

    *named, rest = log.lines
    assert [one["attempt_id"] for one in named] == list(range(1, 21))
    assert (rest["message"], rest["counts"]) == ("And more: It is unknown", {"more": 5})


@pytest.mark.django_db(transaction=True)
def test_what_becomes_of_a_message_is_found_by_its_number(
    ours: World, whatsapp: Integration, log: Log, settings: Settings
) -> None:
    [message] = to_send(ours, whatsapp)
    [attempt] = claim(whatsapp, limit=1).attempts
    settings.RESCUE_AFTER_SECONDS = 0
    rescue()

    asker = Asker(Actor.PERSON, "Ama Owusu", "She told me")
    doubt.count_as_delivered(message, asker, attempt_number=1)

    ids = {"organization_id": ours.organization.pk, "message_id": message.pk}
    lost = log.named("An attempt that nobody waits for any more is unknown")
    assert lost.items() >= (ids | {"attempt_id": attempt.attempt_id}).items()
    counted = log.named(f"Counted message {message.pk} as delivered")
    assert counted.items() >= ids.items()
    nothing_private(log)
    assert "Ama" not in log.text


def test_only_known_fields_are_written(log: Log) -> None:
    logging.getLogger("messaging").info(
        "Done", extra={"recipient": PHONE, "payload": {"text": TEXT}, "code": PHONE}
    )

    [line] = log.lines
    assert {"recipient", "payload"} & set(line) == set()
    nothing_private(log)


@pytest.mark.parametrize("formatter", [Json(), Line()])
def test_a_line_whose_arguments_do_not_fit_is_written_all_the_same(
    formatter: logging.Formatter,
) -> None:
    record = logging.LogRecord("x", 20, __file__, 1, "%s and %s", ("one",), None)

    assert "%s and %s" in formatter.format(record)


def test_other_handlers_see_the_record_as_it_was(log: Log) -> None:
    seen: list[str] = []

    class Other(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record.getMessage())

    handler = Other()
    logging.getLogger().addHandler(handler)
    try:
        logging.getLogger("messaging").info("to %s", PHONE)
    finally:
        logging.getLogger().removeHandler(handler)

    assert seen == [f"to {PHONE}"]
    nothing_private(log)


@pytest.mark.parametrize(
    "text",
    [
        "to +233 24 412-3456 now",
        "to 233244123456.",
        "/embed/members/%2B233244123456/communications/",
        "mail ama.owusu+x@mail.example.org",
        "Authorization: Bearer abc.def-123",
        "https://api.telegram.org/bot123456:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-pc/send",
        "?hub.verify_token=verify-me&x=1",
        "postgres://someone:hunter2@db/resend_admin",
        "password=hunter2",
        "EAAGm0PX4ZCpsBAKZCZCq2ZAZBzZAZCexampleexampleexample",
    ],
)
def test_what_looks_private_is_taken_out(text: str) -> None:
    private = (
        "412-3456",
        "233244123456",
        "ama.owusu",
        "abc.def",
        "AAEhBO",
        "verify-me",
        "hunter2",
        "EAAGm",
    )
    assert "…" in redacted(text)
    assert [one for one in private if one in redacted(text)] == []


@pytest.mark.parametrize(
    "text",
    [
        "Removed rows from before 2026-10-22",
        "1,234,567 messages at 12:30:45.123456",
        "Internal Server Error: /broadcasts/12/retry/",
        "127.0.0.1:6379 refused",
        "Task messaging.tasks.ring[0b2f5c5e-5d3e-4b4e-9b0c-1f7f1f0c9d11] raised",
        "messaging/dispatch/pump.py",
    ],
)
def test_what_is_harmless_stays(text: str) -> None:
    assert redacted(text) == text


def test_an_exception_is_named_by_its_type() -> None:
    assert named(ValueError(TEXT)) == "ValueError"
    away = psycopg.OperationalError(f"connection refused\nDETAIL: ({PHONE})")
    assert named(away) == "psycopg.OperationalError: connection refused"
    assert named(OSError(111, "Connection refused")) == (
        "ConnectionRefusedError: [Errno 111] Connection refused"
    )


def test_the_settings_choose_the_format(settings: Settings) -> None:
    logging_settings: dict[str, Any] = django_settings.LOGGING
    console = logging_settings["handlers"]["console"]
    assert console["formatter"] in {"json", "line"}
    assert console["class"] == "logging.StreamHandler"
    assert logging.StreamHandler().stream is sys.stderr

    settings.LOG_FORMAT = "xml"
    assert [one.id for one in check_logs()] == ["resend_admin.E008"]


def test_the_whole_configuration_can_be_built() -> None:
    logging_settings: dict[str, Any] = django_settings.LOGGING
    configurator = logging.config.DictConfigurator(logging_settings)

    for name in ("json", "line"):
        formatter = configurator.configure_formatter(
            logging_settings["formatters"][name]
        )
        record = logging.LogRecord("x", 20, __file__, 1, "Hello", (), None)
        assert "Hello" in formatter.format(record)
