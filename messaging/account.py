"""What people change about their own way in; each change is on record."""

from __future__ import annotations

from django.contrib.auth import update_session_auth_hash
from django.db import transaction
from django.http import HttpRequest

from messaging import second_factor, sessions, trail
from messaging.models import AuditKind, Session, User


@transaction.atomic
def change_password(request: HttpRequest, person: User, password: str) -> int:
    """Set another password; return how many other sessions that has ended."""
    person.set_password(password)
    person.save(update_fields=["password"])
    update_session_auth_hash(request, person)
    ended = sessions.end_all(person, but=request.session)
    _record(person, "Changed their password.")
    return ended


@transaction.atomic
def turn_on(request: HttpRequest, person: User, code: str) -> list[str]:
    """Ask for a code from now on; return the recovery codes, or none if it is wrong.

    The other sessions end: they were opened with a password alone.
    """
    codes = second_factor.confirm(person, code)
    if codes:
        sessions.end_all(person, but=request.session)
        _record(person, "Turned on the second step of their log-in.")
    return codes


@transaction.atomic
def turn_off(person: User) -> None:
    if second_factor.turn_off(person):
        _record(person, "Turned off the second step of their log-in.")


@transaction.atomic
def renew_codes(person: User) -> list[str]:
    _record(person, "Made new recovery codes.")
    return second_factor.new_recovery_codes(person)


@transaction.atomic
def reset_second_factor(person: User, *, by: User) -> bool:
    """Let somebody in without a code who has lost theirs; return whether it was on."""
    was_on = second_factor.turn_off(person)
    if was_on:
        sessions.end_all(person)
        _record(person, f"Reset the second step of {person.get_username()}.", by=by)
    return was_on


@transaction.atomic
def end_own_session(person: User, session: Session) -> None:
    """End another session of one's own."""
    if sessions.end(person, session.pk):
        device = sessions.device_in_words(session.device)
        _record(person, f"Ended their session of {device}.")


@transaction.atomic
def end_other_sessions(request: HttpRequest, person: User) -> int:
    """End all of one's own sessions but this one; return how many there were."""
    ended = sessions.end_all(person, but=request.session)
    if ended:
        number = "1 other session" if ended == 1 else f"{ended} other sessions"
        _record(person, f"Ended {number} of their own.")
    return ended


@transaction.atomic
def end_sessions(person: User, *, by: User) -> int:
    """End every session of a colleague; return how many there were."""
    ended = sessions.end_all(person)
    _record(person, f"Ended all sessions of {person.get_username()}.", by=by)
    return ended


def _record(person: User, sentence: str, *, by: User | None = None) -> None:
    trail.record(
        AuditKind.SECURITY,
        sentence,
        organization_id=person.organization_id,
        doer=trail.by_person(by or person),
    )
