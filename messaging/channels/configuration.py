"""Read an integration's settings, and say in words what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence

from messaging.channels.contract import Account, Field
from messaging.channels.limits import is_web_address
from messaging.channels.posts import word


def setting(fields: Sequence[Field], account: Account, name: str) -> str:
    """Return a setting as text; empty ones fall back to the field's default."""
    value = word(account.settings.get(name), 2000).strip()
    return value or next((f.default for f in fields if f.name == name), "")


def base_url(fields: Sequence[Field], account: Account) -> str:
    """Return the provider's address without a slash at its end."""
    return setting(fields, account, "base_url").rstrip("/")


def missing(fields: Sequence[Field], account: Account) -> list[str]:
    """Return one sentence per required field that has no value, or a wrong one."""
    found = []
    for item in fields:
        place = account.credentials if item.credential else account.settings
        value = word(place.get(item.name), 10_000) or item.default
        if item.required and not value.strip():
            found.append(f"{item.label} is missing.")
        elif item.choices and value and value not in item.choices:
            allowed = ", ".join(item.choices)
            found.append(f"{item.label} must be one of: {allowed}.")
        elif any(ord(mark) < 32 or ord(mark) == 127 for mark in value):
            found.append(f"{item.label} contains a line break or a control character.")
    return found


def address_problems(url: str) -> list[str]:
    """Return what is wrong with a provider's address."""
    if url and not is_web_address(url):
        return ["The provider's address must start with http:// or https://."]
    return []
