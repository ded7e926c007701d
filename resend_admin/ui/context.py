"""What the base template needs on every page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from .dialogs import dialog_base
from .themes import chosen_theme
from .time_zones import zone_label, zone_name

PRODUCT_NAME = "Resend Admin"


@dataclass(frozen=True, slots=True)
class NavItem:
    """``keys`` is the shortcut that goes there, as ``g b``."""

    label: str
    url: str
    icon: str
    keys: str
    is_current: bool


# The last one names what a person must be to go there.
_PLACES = (
    ("Overview", "overview", "home", "g o", "may_read"),
    ("Broadcasts", "broadcasts:broadcast-list", "inbox", "g b", "may_read"),
    ("Messages", "messaging:message-list", "mail", "g m", "may_read"),
    ("Unreadable", "messaging:unreadable-list", "lock", "g u", "may_read"),
    ("Members", "messaging:member-list", "people", "g p", "may_read"),
    ("Resend success", "reports", "bars", "g r", "may_read"),
    ("Webhooks", "messaging:webhook-list", "link", "g w", "may_manage"),
    ("Audit", "messaging:audit", "clock", "g a", "may_manage"),
    ("Admin", "admin:index", "gear", "", "is_staff"),
)


def page(request: HttpRequest) -> dict[str, Any]:
    """Context processor for ``base.html``."""
    user = getattr(request, "user", None)
    signed_in = bool(user and user.is_authenticated)
    return {
        "product_name": PRODUCT_NAME,
        "theme": chosen_theme(request),
        "zone_name": zone_name(),
        "zone_label": zone_label(),
        "nav_items": nav_items(request) if signed_in else [],
        "dialog_base": dialog_base(request),
        "account_url": _address_of("messaging:account") if signed_in else "",
        "person_name": _person_name(user) if signed_in else "",
        "organization_name": (
            str(getattr(user, "organization", None) or "") if signed_in else ""
        ),
    }


def nav_items(request: HttpRequest) -> list[NavItem]:
    """The places this person may go; one whose address does not exist is left out."""
    items = []
    for label, name, icon, keys, trait in _PLACES:
        if not getattr(request.user, trait, False):
            continue
        url = _address_of(name)
        if not url:
            continue
        items.append(NavItem(label, url, icon, keys, _is_current(request.path, url)))
    return items


def _address_of(name: str) -> str:
    """Return the address of a page; empty where the project does not have it."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _is_current(path: str, url: str) -> bool:
    return path == url if url == "/" else path.startswith(url)


def _person_name(user: Any) -> str:
    return str(user.get_full_name() or user.get_username())
