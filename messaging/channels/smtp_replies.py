"""Understand what a mail server said, and what its silence means.

Codes: RFC 5321; enhanced codes: RFC 3463.
"""

from __future__ import annotations

import re
from smtplib import (
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPRecipientsRefused,
    SMTPResponseException,
)
from typing import Final

from messaging.channels.contract import Answer, InDoubt, Rejected

LOGIN_REFUSED: Final = frozenset({530, 534, 535, 538})

ENHANCED: Final = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\b")


def failure(problem: Exception, *, left: bool) -> Answer:
    """Return what an error of smtplib means. Pure.

    ``left`` tells whether the whole letter, with its final dot, was written.
    """
    match problem:
        case SMTPRecipientsRefused():
            code, text = next(iter(problem.recipients.values()))
            return _refused(code, text)
        case SMTPAuthenticationError(smtp_code=code, smtp_error=text):
            # 454 is a server that cannot check just now; the rest is a no.
            if 400 <= code < 500:
                return _refused(code, text)
            return Rejected("auth_failed", _reply(text), raw_reply(code, text))
        case SMTPDataError(smtp_code=code, smtp_error=text) if 400 <= code < 600:
            return _refused(code, text)
        case SMTPResponseException(smtp_code=code, smtp_error=text) if not left:
            return _refused(code, text)
        case SMTPResponseException(smtp_code=code, smtp_error=text):
            # Something came back after the dot that is no reply of SMTP.
            return InDoubt("unreadable_answer", _reply(text), raw_reply(code, text))
    detail = f"{type(problem).__name__}: {problem}"
    if isinstance(problem, ValueError) and not left:
        return Rejected("invalid_content", detail)
    if not left:
        return Rejected("connection_failed", detail)
    timed_out = isinstance(problem, TimeoutError) or isinstance(
        problem.__context__, TimeoutError
    )
    return InDoubt("timeout" if timed_out else "connection_lost", detail)


def _refused(code: int, text: bytes | str) -> Rejected:
    reply = _reply(text)
    if code in LOGIN_REFUSED:
        return Rejected("auth_failed", reply, raw_reply(code, text))
    if not 400 <= code < 600:
        return Rejected("connection_failed", reply, raw_reply(code, text))
    enhanced = ENHANCED.match(reply)
    name = f"{code}-{enhanced[1]}" if enhanced else str(code)
    return Rejected(name, reply, raw_reply(code, text))


def _reply(text: bytes | str) -> str:
    return text if isinstance(text, str) else text.decode("utf-8", "replace")


def raw_reply(code: int, text: bytes | str) -> str:
    """Return the server's line as it was sent."""
    return f"{code} {_reply(text)}".strip()
