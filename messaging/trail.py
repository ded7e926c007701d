"""The audit trail: one line for each thing that somebody did, in their transaction.

Services and Django admin call :func:`record` beside the change itself, so that a
line and what it tells are committed together or not at all. What goes in is words
and numbers; secrets are never handed over, not even as "before".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final

from messaging.models import Actor, ApiClient, AuditEntry, AuditKind, User

LONGEST: Final = 500
HIDDEN: Final = "hidden"
"""Stands for what a change made of a secret; nothing stands for what was before."""
Change = tuple[str, str, str]
"""What, before, after; in words."""


@dataclass(frozen=True, slots=True)
class Doer:
    """Who did it: somebody of the organization, an operator, or a program."""

    actor: Actor
    name: str
    person_id: int | None = None
    client_id: int | None = None


def by_person(person: Any) -> Doer:
    """Return the doer for somebody who is signed in, an operator too."""
    if not isinstance(person, User):
        return Doer(Actor.PERSON, "")
    name = person.get_full_name() or person.get_username()
    return Doer(Actor.PERSON, name, person_id=person.pk)


def by_client(client: ApiClient) -> Doer:
    return Doer(Actor.API, client.name, client_id=client.pk)


def record(
    kind: AuditKind,
    sentence: str,
    *,
    organization_id: int | None,
    doer: Doer,
    reason: str = "",
    changes: Sequence[Change] = (),
    link: str = "",
) -> None:
    """Write one line. Belongs into the transaction of what it tells.

    ``link`` is the path of the page that shows what it is about.
    """
    AuditEntry.objects.create(
        organization_id=organization_id,
        kind=kind,
        actor=doer.actor,
        person_id=doer.person_id,
        client_id=doer.client_id,
        actor_name=doer.name[:150],
        sentence=_plain(sentence),
        reason=_plain(reason),
        changes=[[_plain(part) for part in change] for change in changes],
        link=link[:200],
    )


def moment(at: datetime, zone: tzinfo) -> str:
    """Return ``1 Dec 2026, 18:30 (Europe/Amsterdam)``: with the year, for lines
    are read years later, and with the zone, for nobody knows where."""
    local = at.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M} ({zone})"


def _plain(text: str) -> str:
    """Return one line that PostgreSQL takes and a page can show."""
    line = " ".join(text.replace("\x00", "").split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
