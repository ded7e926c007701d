"""Make a provider's words fit to be kept: readable, short, without secrets."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

LIMIT = 4096
"""Bytes of a raw answer that are kept."""

MASK = "[secret]"


def keepable(text: str | bytes, secrets: Iterable[str] = (), limit: int = LIMIT) -> str:
    """Return ``text`` without secrets, storable in PostgreSQL, within ``limit`` bytes.

    The secrets are taken out before the cut, so that no half of one remains.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    text = storable(text)
    for form in _forms(secrets):
        text = text.replace(form, MASK)
    return text.encode()[:limit].decode("utf-8", "ignore")


def storable(text: str) -> str:
    """Replace what a PostgreSQL text refuses: NUL and lone surrogates."""
    text = text.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return text.encode("utf-8", "replace").decode()


def _forms(secrets: Iterable[str]) -> list[str]:
    """Return every spelling in which a secret could be echoed, longest first."""
    forms: set[str] = set()
    for secret in secrets:
        # Shorter values would blank ordinary words, and protect nobody.
        if len(secret) < 4:
            continue
        forms |= {
            secret,
            quote(secret, safe=""),
            quote_plus(secret),
            json.dumps(secret)[1:-1],
            b64encode(secret.encode(errors="replace")).decode(),
        }
    return sorted(forms, key=len, reverse=True)
