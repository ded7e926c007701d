"""What becomes of one message: decided by the number it is addressed to.

Pure functions. The last four digits of a phone number, chat id or local part of
an e-mail address may be a magic number; everybody else meets a small mix of
failures that depends on nothing but the seed, the address and how often it was
tried, so that a run can be repeated and a later try may succeed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What a provider does with a message; each provider has its own words."""

    DELIVER = "deliver"
    SILENCE = "silence"
    """Accepted, but neither an answer nor a receipt ever comes."""
    INVALID = "invalid"
    BLOCKED = "blocked"
    WINDOW_CLOSED = "window_closed"
    SERVER_ERROR = "server_error"
    RATE_LIMIT = "rate_limit"
    MEDIA = "media"
    HOLD_BACK = "hold_back"
    """Refused for now; the same message may pass on another day."""
    LOSE = "lose"
    """Accepted first and reported as failed later, where receipts exist."""
    AUTH = "auth"


SLOW_DELIVERY = 30.0
"""Seconds that the magic number 0003 takes to be delivered."""

READ_SHARE = 0.4
"""Share of delivered messages that are read, where a provider tells."""

_MIX = (
    (Outcome.SERVER_ERROR, 25),
    (Outcome.RATE_LIMIT, 20),
    (Outcome.MEDIA, 10),
    (Outcome.HOLD_BACK, 15),
    (Outcome.LOSE, 30),
)


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of one try and the dice that its details are taken from.

    ``delay`` is in seconds and comes on top of the usual delivery time.
    ``spread`` lies between 0 and 1. ``variant`` picks one of several wordings.
    """

    outcome: Outcome
    decided_by: str = ""
    delay: float = 0.0
    spread: float = 0.5
    variant: int = 0
    read: bool = False


def magic_digits(recipient: str) -> str:
    """Return the last four digits of an address, or "" if it has fewer.

    >>> magic_digits("+49 151 5550 0004"), magic_digits("ann.0002@example.org")
    ('0004', '0002')
    """
    local_part = recipient.partition("@")[0]
    digits = "".join(letter for letter in local_part if letter in "0123456789")
    return digits[-4:] if len(digits) >= 4 else ""


def decide(
    channel: str,
    recipient: str,
    tries: int,
    *,
    seed: int = 7,
    failure_rate: float = 0.0,
    template: bool = False,
    media: bool = False,
) -> Decision:
    """Decide what happens to one try.

    ``tries`` counts the earlier tries on this channel to this recipient that
    were decided here; ``failure_rate`` is the share, 0 to 1, of ordinary numbers
    that fail.
    """
    dice = _dice(seed, channel, recipient, tries)
    variant = dice & 0xFFFF
    spread = (dice >> 16 & 0xFFFF) / 0x10000
    read = (dice >> 32 & 0xFF) / 0x100 < READ_SHARE
    roll = (dice >> 40) / (1 << 24)

    def decision(outcome: Outcome, decided_by: str, delay: float = 0.0) -> Decision:
        return Decision(outcome, decided_by, delay, spread, variant, read)

    match magic_digits(recipient):
        case "0001":
            return decision(Outcome.DELIVER, "number")
        case "0002":
            return decision(Outcome.INVALID, "number")
        case "0003":
            return decision(Outcome.DELIVER, "number", SLOW_DELIVERY)
        case "0004":
            first = Outcome.SERVER_ERROR if tries == 0 else Outcome.DELIVER
            return decision(first, "number")
        case "0005":
            refused = channel == "whatsapp" and not template
            return decision(
                Outcome.WINDOW_CLOSED if refused else Outcome.DELIVER, "number"
            )
        case "0006":
            return decision(Outcome.BLOCKED, "number")
        case "0007":
            return decision(Outcome.SILENCE, "number")
    if roll >= failure_rate:
        return decision(Outcome.DELIVER, "mix")
    return decision(_from_mix(roll / failure_rate, media), "mix")


def _dice(seed: int, channel: str, recipient: str, tries: int) -> int:
    """Return 64 bits that follow from the arguments and nothing else."""
    text = f"{seed}|{channel}|{recipient}|{tries}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


def _from_mix(share: float, media: bool) -> Outcome:
    """Return the failure at ``share`` (0 to 1) of the weighted mix."""
    point = share * sum(weight for _, weight in _MIX)
    outcome = Outcome.LOSE
    for possible, weight in _MIX:
        if point < weight:
            outcome = possible
            break
        point -= weight
    # A text has no file that could be broken.
    return Outcome.LOSE if outcome is Outcome.MEDIA and not media else outcome
