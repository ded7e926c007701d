"""Make a provider's words fit to be kept: readable, short, without secrets."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

LIMIT = 4096
"""Bytes of a raw answer that are kept."""

MASK = "[secret]"
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
LONGEST_CHARACTER = 4
"""Bytes, in UTF-8."""


class Redaction:
    """Takes the secrets of one account out of everything that is kept.

    The secrets are taken out before the cut, so that no half of one remains.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms = _forms(secrets)

    def keepable(self, text: str | bytes, limit: int = LIMIT) -> str:
        """Return ``text`` without secrets, storable, within ``limit`` bytes."""
        if isinstance(text, bytes):
            # What was decoded holds no lone surrogate any more.
            text = text.decode("utf-8", "replace").replace("\x00", REPLACEMENT)
        else:
            text = storable(text)
        for form in self._forms:
            text = text.replace(form, MASK)
        if len(text) * LONGEST_CHARACTER <= limit:
            return text
        return text.encode()[:limit].decode("utf-8", "ignore")


def keepable(text: str | bytes, secrets: Iterable[str] = (), limit: int = LIMIT) -> str:
    """Do once what a :class:`Redaction` does often."""
    return Redaction(secrets).keepable(text, limit)


def storable(text: str) -> str:
    """Replace what a PostgreSQL text refuses: NUL and lone surrogates."""
    text = text.replace("\x00", REPLACEMENT)
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
