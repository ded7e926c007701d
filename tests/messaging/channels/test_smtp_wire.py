"""The letters that go to a mail server, and what its replies mean."""

from __future__ import annotations

import asyncio
from email import message_from_bytes, policy
from email.message import EmailMessage
from smtplib import (
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPDataError,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
)
from typing import Any

import pytest

from messaging.channels.contract import (
    Accepted,
    Answer,
    InDoubt,
    Outbound,
    Rejected,
)
from messaging.channels.smtp import Smtp
from messaging.channels.smtp_replies import failure
from tests.messaging.channels.samples import CONTENTS, account, outbound
from tests.messaging.channels.stands import MailStand

PLAIN = {
    "text": "Hello Ama, 5 < 7 & true",
    "image": "For Ama Mensah\n\nhttps://cdn.example.com/a.jpg",
    "video": "https://cdn.example.com/a.mp4",
    "audio": "https://cdn.example.com/a.ogg",
    "document": ("Your invoice\n\nInvoice.pdf: https://cdn.example.com/a.pdf?x=1&y=2"),
    "template": "Hi Ama, your order c-17 is ready.",
}

HTML = {
    "text": "<p>Hello Ama, 5 &lt; 7 &amp; true</p>",
    "image": (
        '<p>For Ama Mensah</p>\n<p><a href="https://cdn.example.com/a.jpg">'
        "https://cdn.example.com/a.jpg</a></p>"
    ),
    "video": (
        '<p><a href="https://cdn.example.com/a.mp4">'
        "https://cdn.example.com/a.mp4</a></p>"
    ),
    "audio": (
        '<p><a href="https://cdn.example.com/a.ogg">'
        "https://cdn.example.com/a.ogg</a></p>"
    ),
    "document": (
        "<p>Your invoice</p>\n"
        '<p><a href="https://cdn.example.com/a.pdf?x=1&amp;y=2">Invoice.pdf</a></p>'
    ),
    "template": "<p>Hi Ama, your order c-17 is ready.</p>",
}


def delivered(*messages: Outbound) -> tuple[list[EmailMessage], list[Answer]]:
    """Send over a real server and return the letters as it got them."""

    async def scenario() -> tuple[list[bytes], list[Answer]]:
        async with MailStand() as stand:
            async with Smtp().connect(stand.account()) as connection:
                answers = [await connection.send(message) for message in messages]
            return stand.letters, answers

    letters, answers = asyncio.run(scenario())
    return [
        message_from_bytes(letter, policy=policy.default) for letter in letters
    ], answers


def words(letter: EmailMessage, subtype: str) -> str:
    part = letter.get_body((subtype,))
    assert part is not None
    content: str = part.get_content()
    return content.replace("\r\n", "\n")


@pytest.mark.parametrize("kind", list(CONTENTS))
def test_every_content_as_a_letter(kind: str) -> None:
    (letter,), (answer,) = delivered(outbound("smtp", kind))
    assert isinstance(answer, Accepted)
    assert answer.provider_id == letter["Message-ID"]
    assert answer.provider_id.endswith("@shop.example.com>")
    assert answer.raw == "250 2.0.0 OK: queued as 4F1C"
    assert not answer.delivered
    assert letter["From"] == "Shop <hello@shop.example.com>"
    assert letter["To"] == "ama@example.org"
    assert letter["X-Resend-Admin-Reference"] == "4711:0"
    assert letter.get_content_type() == "multipart/alternative"
    assert words(letter, "plain") == PLAIN[kind]
    assert words(letter, "html") == HTML[kind]


@pytest.mark.parametrize(
    ("payload", "subject"),
    [
        ({"text": "Hi", "subject": "For {{name}}"}, "For Ama Mensah"),
        ({"text": "Hi", "subject": "two\r\nBcc: x@y.z"}, "two Bcc: x@y.z"),
        ({"text": "First line\nSecond"}, "First line"),
        ({"text": "word " * 40}, "word " * 14 + "word…"),
    ],
)
def test_subjects(payload: Any, subject: str) -> None:
    (letter,), _ = delivered(outbound("smtp", "text", payload))
    assert " ".join(letter["Subject"].split()) == subject
    assert letter["Bcc"] is None


def test_media_without_words_has_a_subject_too() -> None:
    (letter,), _ = delivered(outbound("smtp", "video"))
    assert letter["Subject"] == "A message for you"


def test_paragraphs_and_line_breaks_show_in_html() -> None:
    (letter,), _ = delivered(outbound("smtp", "text", {"text": "a\nb\n\n<c>"}))
    assert words(letter, "html") == "<p>a<br>\nb</p>\n<p>&lt;c&gt;</p>"


@pytest.mark.parametrize(
    "recipient", ["", "a@b.c\nBcc: d@e.f", "a@b@c", "x y", "a@b.c,d@e.f", "A <a@b.c>"]
)
def test_an_impossible_address_is_refused_before_it_leaves(recipient: str) -> None:
    letters, (answer,) = delivered(outbound("smtp", recipient=recipient))
    assert isinstance(answer, Rejected)
    assert answer.code == "5.1.3"
    assert letters == []


def test_a_bad_letter_does_not_harm_the_next() -> None:
    letters, answers = delivered(
        outbound("smtp"), outbound("smtp", recipient="\n"), outbound("smtp")
    )
    assert [type(answer) for answer in answers] == [Accepted, Rejected, Accepted]
    assert len(letters) == 2


def test_a_connection_that_was_closed_while_idle_is_replaced() -> None:
    async def scenario() -> tuple[list[Answer], int, int]:
        async with MailStand() as stand:
            async with Smtp().connect(stand.account()) as connection:
                first = await connection.send(outbound("smtp"))
                await stand.hang_up()
                second = await connection.send(outbound("smtp"))
            return [first, second], stand.connections, len(stand.letters)

    answers, connections, letters = asyncio.run(scenario())
    assert all(isinstance(answer, Accepted) for answer in answers)
    assert (connections, letters) == (2, 2)


def lost(cause: BaseException | None) -> SMTPServerDisconnected:
    problem = SMTPServerDisconnected("Connection unexpectedly closed")
    problem.__context__ = cause
    return problem


@pytest.mark.parametrize(
    ("problem", "left", "kind", "code"),
    [
        (ConnectionRefusedError("no"), False, Rejected, "connection_failed"),
        (TimeoutError("slow"), False, Rejected, "connection_failed"),
        (SMTPConnectError(554, b"5.7.1 Go away"), False, Rejected, "554-5.7.1"),
        (SMTPConnectError(421, "Busy"), False, Rejected, "421"),
        (SMTPAuthenticationError(535, b"5.7.8 No"), False, Rejected, "auth_failed"),
        (SMTPAuthenticationError(454, b"4.7.0 Later"), False, Rejected, "454-4.7.0"),
        (SMTPSenderRefused(530, b"5.7.0 Log in", "x"), False, Rejected, "auth_failed"),
        (SMTPSenderRefused(552, b"5.2.3 Big", "x"), False, Rejected, "552-5.2.3"),
        (
            SMTPRecipientsRefused({"x": (450, b"4.2.2 Full")}),
            False,
            Rejected,
            "450-4.2.2",
        ),
        (SMTPRecipientsRefused({"x": (550, b"No")}), False, Rejected, "550"),
        (SMTPDataError(451, b"4.3.0 Oh"), False, Rejected, "451-4.3.0"),
        (SMTPDataError(554, b"5.7.1 Spam"), True, Rejected, "554-5.7.1"),
        (SMTPDataError(-1, b"what"), True, InDoubt, "unreadable_answer"),
        (SMTPDataError(-1, b"what"), False, Rejected, "connection_failed"),
        (SMTPResponseException(500, "Long"), True, InDoubt, "unreadable_answer"),
        (lost(None), False, Rejected, "connection_failed"),
        (lost(None), True, InDoubt, "connection_lost"),
        (lost(TimeoutError()), True, InDoubt, "timeout"),
        (BrokenPipeError(), True, InDoubt, "connection_lost"),
        (ValueError("odd"), False, Rejected, "invalid_content"),
    ],
)
def test_what_an_error_means(
    problem: Exception, left: bool, kind: type[Answer], code: str
) -> None:
    answer = failure(problem, left=left)
    assert isinstance(answer, Rejected | InDoubt)
    assert (type(answer), answer.code) == (kind, code)


def test_configuration_problems_are_sentences() -> None:
    assert Smtp().problems(account("smtp")) == []
    bad = account(
        "smtp",
        {"host": "", "port": "many", "security": "ssl", "from_address": "Shop"},
        {"password": ""},
    )
    assert Smtp().problems(bad) == [
        "Server is missing.",
        "Security must be one of: none, starttls, tls.",
        "Port must be a number from 1 to 65535.",
        "From is not an e-mail address.",
        "Enter both the user name and the password, or neither.",
    ]
