"""Which messages an organization sent over four weeks, in the order of time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any, Final

from benchmarks.owners import Owner
from broadcasts.models import (
    Broadcast,
    BroadcastKind,
    BroadcastState,
    Route,
    RouteRole,
)

REGULAR: Final = 300
"""Broadcasts beside the largest one, which goes to every member."""
DAYS: Final = 28
USED: Final = 5
"""Integrations that send; the last one of the owner does not."""
BATCH: Final = 200_000
LARGEST_AT: Final = REGULAR * 5 // 6
"""The regular broadcast before which the largest one ran."""


@dataclass(frozen=True, slots=True)
class Lot:
    """``size`` messages from number ``first`` on, of one broadcast or on their own.

    They start at the member ``start``. Of a broadcast that is still *sending* the
    last third waits.
    """

    broadcast_id: int | None
    integration_id: int
    content_id: int
    channel: str
    price: int
    at: datetime
    start: int
    first: int
    size: int
    total: int
    is_sending: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    lots: tuple[Lot, ...]

    def columns(self) -> dict[str, Any]:
        """Return the lots as one array per column, for ``unnest``."""
        return {
            f"lot_{one.name}": [getattr(lot, one.name) for lot in self.lots]
            for one in fields(Lot)
        }


def make_plan(owner: Owner, now: datetime) -> list[Lot]:
    """Make the broadcasts of an owner and return what is sent, oldest first.

    A quarter of the messages is one broadcast, six tenths are the regular ones,
    the rest were sent on their own.
    """
    begin = now - timedelta(days=DAYS)
    step = timedelta(days=DAYS) / (REGULAR + 1)
    times = [begin + place * step for place in range(REGULAR)]
    regular = max(1, owner.messages * 6 // 10 // REGULAR)
    single = max(1, (owner.messages - owner.members - regular * REGULAR) // REGULAR)
    whole, *made = _broadcasts(owner, times)
    owner.largest_broadcast = whole
    lots = []
    for place, (at, one) in enumerate(zip(times, made, strict=True)):
        if place == LARGEST_AT:
            lots.append(_lot(owner, 0, at, owner.members, place, whole))
        is_sending = one.state == BroadcastState.SENDING
        # Some are small, some are large; all of them together are as planned.
        size = max(1, regular * (1 + place % 9) // 5)
        lots += [
            _lot(owner, place, at, size, place * 7_919, one, is_sending=is_sending),
            _lot(owner, place + 1, at + step / 2, single, place * 104_729),
        ]
    _later(owner, now)
    return lots


def largest_lot(owner: Owner, at: datetime) -> Lot:
    """Make one broadcast to every member, and return what it sends."""
    owner.largest_broadcast = _with_route(owner, [_broadcast(owner, "Terms", at)])[0]
    return _lot(owner, 0, at, owner.members, 0, owner.largest_broadcast)


def _lot(
    owner: Owner,
    place: int,
    at: datetime,
    size: int,
    start: int,
    broadcast: Broadcast | None = None,
    *,
    is_sending: bool = False,
) -> Lot:
    integration = owner.integrations[place % USED]
    return Lot(
        broadcast_id=broadcast.pk if broadcast else None,
        integration_id=integration.pk,
        content_id=owner.contents[place % len(owner.contents)].pk,
        channel=integration.channel,
        price=integration.credit_price,
        at=at,
        start=start,
        first=0,
        size=size,
        total=size,
        is_sending=is_sending,
    )


def _broadcasts(owner: Owner, times: list[datetime]) -> list[Broadcast]:
    """Make the largest broadcast and the regular ones, each with its route."""
    made = [_broadcast(owner, "Terms of 2027", times[LARGEST_AT])]
    made += [
        _broadcast(owner, f"Newsletter {number}", at)
        for number, at in enumerate(times, start=1)
    ]
    last = made[-1]
    last.state, last.finished_at = BroadcastState.SENDING, None
    return _with_route(owner, made)


def _with_route(owner: Owner, made: list[Broadcast]) -> list[Broadcast]:
    """Keep broadcasts, the largest one first, each with the route it went."""
    Broadcast.objects.bulk_create(made)
    Route.objects.bulk_create(
        Route(
            broadcast=one,
            role=RouteRole.ROUTE,
            position=1,
            integration=owner.integrations[max(place, 0) % USED],
            content=owner.contents[max(place, 0) % len(owner.contents)],
        )
        for place, one in enumerate(made, start=-1)
    )
    return made


def _broadcast(owner: Owner, name: str, at: datetime) -> Broadcast:
    return Broadcast(
        organization=owner.organization,
        name=name,
        kind=BroadcastKind.TEMPLATE,
        state=BroadcastState.COMPLETED,
        run_at=at,
        started_at=at,
        finished_at=at + timedelta(hours=1),
        is_filled=True,
        created_by=owner.editor,
    )


def _later(owner: Owner, now: datetime) -> None:
    """Add a few drafts, and broadcasts that are not due yet."""
    for number in range(1, 4):
        Broadcast.objects.create(
            organization=owner.organization,
            name=f"Draft {number}",
            kind=BroadcastKind.TEMPLATE,
            created_by=owner.editor,
        )
        Broadcast.objects.create(
            organization=owner.organization,
            name=f"Next week {number}",
            kind=BroadcastKind.TEMPLATE,
            state=BroadcastState.SCHEDULED,
            run_at=now + timedelta(days=number),
            created_by=owner.editor,
        )


def batches_of(lots: Iterable[Lot]) -> Iterator[Batch]:
    """Yield lots together, about :data:`BATCH` messages at a time."""
    gathered: list[Lot] = []
    for lot in lots:
        for part in _parts(lot):
            gathered.append(part)
            if sum(one.size for one in gathered) >= BATCH:
                yield Batch(tuple(gathered))
                gathered = []
    if gathered:
        yield Batch(tuple(gathered))


def _parts(lot: Lot) -> Iterator[Lot]:
    for first in range(0, lot.size, BATCH):
        yield replace(lot, first=first, size=min(BATCH, lot.size - first))
