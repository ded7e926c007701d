"""Secrets at rest: Fernet, with keys from the environment.

The first key of ``CREDENTIAL_KEYS`` encrypts, all of them decrypt, so a key is
rotated by putting the new one in front and saving every integration once.
"""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def encrypt(text: str) -> str:
    return _keys().encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Return the text, or raise ``ImproperlyConfigured`` when no key fits."""
    try:
        return _keys().decrypt(token.encode()).decode()
    except InvalidToken as error:
        message = (
            "No key in CREDENTIAL_KEYS opens the stored credentials. Add the key"
            " they were saved with, or enter the credentials again."
        )
        raise ImproperlyConfigured(message) from error


def _keys() -> MultiFernet:
    if not settings.CREDENTIAL_KEYS:
        message = "CREDENTIAL_KEYS is empty: set it to at least one Fernet key."
        raise ImproperlyConfigured(message)
    return MultiFernet([Fernet(key) for key in settings.CREDENTIAL_KEYS])
