"""Faults that a test or a person switches on, and for how long."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

ALL = "all"
CHANNELS = ("whatsapp", "gateway", "telegram", "sms", "email")


class Fault(StrEnum):
    """What goes wrong with a request."""

    HANG = "hang"
    GARBAGE = "garbage"
    CLOSE_MID_BODY = "close_mid_body"
    CLOSE = "close"
    """The connection ends before the first byte of the answer."""
    SLOW = "slow"
    RATE_LIMIT = "rate_limit"
    SERVER_ERROR = "server_error"
    AUTH = "auth"


REFUSING = frozenset({Fault.RATE_LIMIT, Fault.SERVER_ERROR, Fault.AUTH})


class ReceiptMode(StrEnum):
    """What goes wrong with receipts. ``release`` ends ``hold`` and posts."""

    HOLD = "hold"
    RELEASE = "release"
    DOUBLE = "double"
    SHUFFLE = "shuffle"
    DROP = "drop"


@dataclass(slots=True)
class Switch:
    """One fault that is on.

    ``times``: how many requests it still hits, ``None`` until it is reset.
    ``seconds``: how much later a slow answer comes. ``retry_after``: the pause, in
    seconds, that a rate limit asks for. ``share``: the part, 0 to 1, of requests
    that it hits. ``accepting``: whether a request whose answer gets lost was
    taken before, which is the worse case and therefore the usual one.
    """

    fault: Fault
    channel: str = ALL
    times: int | None = None
    seconds: float = 1.0
    retry_after: float = 1.0
    share: float = 1.0
    accepting: bool = True


class Switches:
    """The switches that are on, oldest first."""

    def __init__(self, seed: int) -> None:
        self._switches: list[Switch] = []
        self._random = random.Random(seed)  # noqa: S311, no secret depends on it

    def add(self, switch: Switch) -> None:
        if switch.times is None or switch.times > 0:
            self._switches.append(switch)

    def reset(self, channel: str = ALL) -> None:
        self._switches = [
            switch for switch in self._switches if channel not in (ALL, switch.channel)
        ]

    def next(self, channel: str) -> Switch | None:
        """Return the switch that would hit this channel next; count nothing."""
        for switch in self._switches:
            if switch.channel in (ALL, channel):
                return switch
        return None

    def draw(self, channel: str) -> Switch | None:
        """Return the switch that hits this request, if one does."""
        if not self._switches:
            return None
        for switch in self._switches:
            if switch.channel not in (ALL, channel):
                continue
            if switch.share < 1 and self._random.random() >= switch.share:
                continue
            if switch.times is not None:
                switch.times -= 1
                if switch.times == 0:
                    self._switches.remove(switch)
            return switch
        return None
