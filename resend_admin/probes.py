"""Probes for whatever keeps the processes alive."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLongError
from dataclasses import dataclass
from typing import Final

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from messaging import diagnosis

SECONDS: Final = 0.8
"""Whoever probes gives up after a second or so; the answer comes before that."""
OK: Final = "ok"
AWAY: Final = (
    "PostgreSQL does not answer. Start it, or correct DATABASE_URL; the pages come back"
    " by themselves."
)
LOOKING: Final = (
    "PostgreSQL answers. Whether migrations are pending takes a moment to see, once"
    " after a start. Ask again."
)
PENDING: Final = "Migrations are pending. Run manage.py migrate."

# A connection that does not come would hold the probe up for seconds.
_asking = ThreadPoolExecutor(max_workers=2, thread_name_prefix="readyz")
_migrated: set[str] = set()
"""The databases that were found complete: the code of a process never changes."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether pages can be served, and how the engine is, in sentences."""

    status: str
    engine: str


@dataclass(slots=True)
class Look:
    """How far one look at PostgreSQL has come; it may take longer than the probe."""

    is_at_migrations: bool = False


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 as long as this process can answer at all."""
    return JsonResponse({"status": OK})


@login_not_required
@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when pages can be served: PostgreSQL is there and migrated.

    How the engine is stands beside it and changes nothing: pages work without it.
    """
    look = Look()
    try:
        found = _asking.submit(_ask, look).result(timeout=SECONDS)
    except DatabaseError:
        return JsonResponse({"status": AWAY}, status=503)
    except TookTooLongError:
        status = LOOKING if look.is_at_migrations else AWAY
        return JsonResponse({"status": status}, status=503)
    if found.status != OK:
        return JsonResponse({"status": found.status}, status=503)
    return JsonResponse({"status": OK, "engine": found.engine})


def _ask(look: Look) -> Readiness:
    """Ask PostgreSQL, on a connection that goes back when it is done."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        look.is_at_migrations = True
        if _is_pending():
            return Readiness(PENDING, "")
        look.is_at_migrations = False
        return Readiness(OK, diagnosis.pulse_sentence() or OK)
    finally:
        connection.close()


def _is_pending() -> bool:
    name = connection.settings_dict["NAME"]
    if name in _migrated:
        return False
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return True
    _migrated.add(name)
    return False
