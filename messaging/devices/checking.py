"""Ask gateways how their phones are, some dozens at a time, outside of transactions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.core.exceptions import ImproperlyConfigured
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from messaging.channels.contract import (
    AUTH_FAILED,
    Account,
    Answer,
    InDoubt,
    RateLimited,
    Rejected,
)
from messaging.channels.gateway_requests import (
    AT_ONCE,
    DeviceStatus,
    device_statuses,
    is_not_ready,
)
from messaging.devices.noting import Word, note
from messaging.models import (
    DeviceHealth,
    DeviceState,
    Integration,
    IntegrationState,
)

KIND: Final = "device_gateway"
EVERY: Final = timedelta(seconds=60)
FRESH: Final = timedelta(seconds=5)
"""What is known for no longer than this is not asked for once more by a button."""
MOST: Final = 300
"""Phones of one round: so many are asked within a minute if no gateway answers."""


def check_all() -> int:
    """Ask every gateway that was not asked lately; return how many were asked."""
    due = _due()
    for start in range(0, len(due), AT_ONCE):
        _check(due[start : start + AT_ONCE])
    return len(due)


def check(integration: Integration) -> None:
    """Ask one gateway now, and write down what it says.

    Takes as long as the gateway is given, some seconds. Whoever presses the button
    twice does not ask twice.
    """
    known = health_of(integration)
    asked_at = known.checked_at if known else None
    if asked_at is None or asked_at < timezone.now() - FRESH:
        _check([integration])


def check_one(integration_id: int) -> None:
    """Ask the gateway of one integration, if it still is one that is switched on.

    Something was heard of its phone, so what was known a moment ago may be wrong.
    """
    found = _own().filter(pk=integration_id).first()
    if found is not None:
        _check([found])


def health_of(integration: Integration) -> DeviceHealth | None:
    """Return what is known of a phone; nothing before the first word of it."""
    return getattr(integration, "device", None)


def _own() -> QuerySet[Integration]:
    off = IntegrationState.OFF
    found = Integration.objects.filter(kind=KIND).exclude(state=off)
    return found.select_related("device")


def _due() -> list[Integration]:
    """Return whose turn it is; a round that beat starts a little early counts too."""
    lately = timezone.now() - EVERY / 2
    never = Q(device__isnull=True) | Q(device__checked_at__isnull=True)
    due = _own().filter(never | Q(device__checked_at__lt=lately))
    return list(
        due.order_by(F("device__checked_at").asc(nulls_first=True), "pk")[:MOST]
    )


def _check(integrations: Sequence[Integration]) -> None:
    asked_at = timezone.now()
    asked: list[tuple[Integration, Account]] = []
    for one in integrations:
        try:
            asked.append((one, one.account))
        except ImproperlyConfigured as problem:
            note(_word(one, DeviceState.REFUSED, asked_at, detail=str(problem)))
    answers = device_statuses([account for _, account in asked])
    for (one, _), answer in zip(asked, answers, strict=True):
        told = _understood(one, answer, asked_at)
        if told is not None:
            note(told)


def _understood(
    integration: Integration, status: DeviceStatus, at: datetime
) -> Word | None:
    """Return what an answer says of the phone; none when it says nothing of it."""
    if status.problem is not None:
        if isinstance(status.problem, RateLimited):
            return None
        state, detail = _of_problem(status.problem)
        return _word(integration, state, at, detail=detail)
    if status.is_connected and status.is_logged_in:
        return _word(integration, DeviceState.CONNECTED, at, phone=status.phone)
    state = _away(integration, status)
    return _word(integration, state, at, phone=status.phone, seen=status.last_seen)


def _away(integration: Integration, status: DeviceStatus) -> DeviceState:
    """Tell a phone without a connection from one that is not linked.

    The gateway may remember the number of a phone that was logged out: once that is
    known, only a phone that is logged in proves it wrong.
    """
    if status.is_logged_in:
        return DeviceState.DISCONNECTED
    known = health_of(integration)
    was_out = known is not None and known.state == DeviceState.LOGGED_OUT
    if was_out or status.is_connected or not status.is_paired:
        return DeviceState.LOGGED_OUT
    return DeviceState.DISCONNECTED


def _of_problem(problem: Answer) -> tuple[DeviceState, str]:
    detail = getattr(problem, "detail", "")
    if is_not_ready(problem):
        return DeviceState.DISCONNECTED, detail
    if isinstance(problem, InDoubt):
        has_answered = problem.code == "unreadable_answer"
        return DeviceState.UNCLEAR if has_answered else DeviceState.SILENT, detail
    if isinstance(problem, Rejected):
        if problem.code == AUTH_FAILED:
            return DeviceState.REFUSED, detail
        if problem.code == "connection_failed":
            return DeviceState.SILENT, detail
        if problem.code in {"NOT_FOUND", "http_404"} or problem.http_status == 404:
            return DeviceState.NO_DEVICE, detail
    return DeviceState.UNCLEAR, detail


def _word(
    integration: Integration,
    state: DeviceState,
    at: datetime,
    *,
    phone: str = "",
    detail: str = "",
    seen: datetime | None = None,
) -> Word:
    """Return a word of this moment; a phone that is away was so since it was seen."""
    since = min(seen, at) if seen else at
    return Word(integration.pk, state, since, at, at, phone, detail)
