"""What is answered while PostgreSQL is away: in words, and for a moment only."""

from __future__ import annotations

import sys
from typing import Final

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views import defaults

RETRY_AFTER: Final = 5
"""Seconds after which another try makes sense; a restart takes about one."""

AWAY: Final = (
    "08",  # Connection exceptions, https://www.postgresql.org/docs/current/errcodes-appendix.html
    "57P",  # It is shutting down, has crashed, or is starting up.
    "53300",  # Too many connections.
)


def is_away(error: BaseException | None) -> bool:
    """Tell a database that is not there from one that refused a statement."""
    if isinstance(error, InterfaceError):
        return True
    if not isinstance(error, OperationalError):
        return False
    # Nobody answered, or no connection came free in time: then there is no code.
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state.startswith(AWAY)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a request that broke: 503 while PostgreSQL is away, else 500."""
    if not is_away(sys.exc_info()[1]):
        return defaults.server_error(request)
    # Without the request: whatever else a page shows would ask the database.
    page = render_to_string("503.html")
    return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER)})
