"""Sessions: opened with where and on what, listed, and ended."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, login
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils import timezone

from messaging.models import Session, User
from messaging.models.session import LONGEST_DEVICE, OPENED, SessionStore

MOST_LISTED: Final = 50
_BROWSERS: Final = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
"""The first sign that is found names it: most claim to be several."""
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def address_of(request: HttpRequest) -> str:
    """Return the address a request comes from; empty when nobody can tell.

    Behind a proxy it is the last one of ``X-Forwarded-For``, the only one that the
    proxy itself wrote; what stands before it anybody may have made up.
    """
    found = str(request.META.get("REMOTE_ADDR", ""))
    if settings.BEHIND_PROXY:
        forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR", ""))
        found = forwarded.rsplit(",", 1)[-1].strip() or found
    try:
        return str(ipaddress.ip_address(found))
    except ValueError:
        return ""


def open_session(request: HttpRequest, person: User) -> None:
    """Sign the person in, and remember when, from where and on what."""
    login(request, person)
    request.session[OPENED] = {
        "at": timezone.now().isoformat(),
        "address": address_of(request) or None,
        "device": re.sub(r"[^\x20-\x7e]", "", request.headers.get("User-Agent", ""))[
            :LONGEST_DEVICE
        ],
    }


def of(person: User) -> list[Session]:
    """Return the living sessions of a person, the one used last first.

    Those from before the password was changed do not live any more.
    """
    found = Session.objects.filter(
        person=person, expire_date__gt=timezone.now()
    ).order_by("-seen_at", "-pk")[:MOST_LISTED]
    present = person.get_session_auth_hash()
    return [one for one in found if _hash_of(one) == present]


def end(person: User, number: int) -> bool:
    """End one session of this person; return whether there was one."""
    return Session.objects.filter(person=person, pk=number).delete()[0] == 1


def end_all(person: User, *, but: SessionBase | None = None) -> int:
    """End every session of this person, ``but`` the one of this request."""
    rows = Session.objects.filter(person=person)
    if but is not None:
        rows = rows.exclude(session_key=but.session_key)
    return rows.delete()[0]


def prune() -> int:
    """Forget sessions that have expired; return how many there were."""
    return Session.objects.filter(expire_date__lt=timezone.now()).delete()[0]


def device_in_words(device: str) -> str:
    """Say what the browser calls itself: "Firefox on Windows"."""
    browser = next((name for sign, name in _BROWSERS if sign in device), "")
    system = next((name for sign, name in _SYSTEMS if sign in device), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or "An unknown browser"


def _hash_of(session: Session) -> str:
    return str(SessionStore().decode(session.session_data).get(HASH_SESSION_KEY, ""))
