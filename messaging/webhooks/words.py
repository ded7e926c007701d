"""What went wrong with a delivery, for a person: the cause and what to do."""

from __future__ import annotations

from typing import Final

_WORDS: Final = {
    "timeout": (
        "No answer within 5 seconds",
        "Answer as soon as the event is stored, and do the work afterwards.",
    ),
    "dns": (
        "The name of the server was not found",
        "Check the spelling of the address, and whether the name still exists.",
    ),
    "unreachable": (
        "The server could not be reached",
        "Check that it runs, and that its firewall lets us in.",
    ),
    "tls": (
        "The certificate of the server was not accepted",
        "Renew it, or add the certificates between it and its root.",
    ),
    "broken": (
        "The connection broke off",
        "The logs of the server, or of what stands in front of it, tell more.",
    ),
    "inside": (
        "The address leads into a private network",
        "Nothing was sent. Enter an address that can be reached from the internet.",
    ),
    "redirect": (
        "It answered with another address",
        "Redirects are not followed. Enter the final address here.",
    ),
    "gone": (
        "It answered that it is gone for good",
        "The endpoint was switched off. Delete it, or switch it on again.",
    ),
    "rate_limited": (
        "It asked for fewer requests",
        "Nothing to do: it is left alone for as long as it asks.",
    ),
    "endpoint_off": (
        "The endpoint was switched off",
        "Switch it on, then send this again.",
    ),
    "worker_lost": (
        "It was interrupted on our side",
        "It may have arrived. It is told once more, under the same id.",
    ),
}


def title(error: str, status: int | None = None) -> str:
    """Return the cause in a few words; empty when nothing is wrong."""
    if error in _WORDS:
        return _WORDS[error][0]
    return f"It answered {status}" if error else ""


def advice(error: str, status: int | None = None) -> str:
    if error in _WORDS:
        return _WORDS[error][1]
    if not error:
        return ""
    if status in {401, 403}:
        return "It wants a log-in. Let it check the signature instead."
    if status == 404:
        return "Nothing answers under this path. Check the address."
    if status is not None and status >= 500:
        return "The logs of the server tell more. Send again when it works."
    return "Any answer from 200 to 299 counts as received."
