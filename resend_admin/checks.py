"""What is wrong with the configuration, said at the start and not at midnight."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register


@register()
def check_secrets(**kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if not settings.CREDENTIAL_KEYS:
        found.append(
            Error(
                "CREDENTIAL_KEYS is empty, so credentials cannot be stored.",
                hint="Set it to a key made by `python -c 'from cryptography.fernet"
                " import Fernet; print(Fernet.generate_key().decode())'`.",
                id="resend_admin.E001",
            )
        )
    for number, key in enumerate(settings.CREDENTIAL_KEYS, start=1):
        try:
            Fernet(key)
        except ValueError:
            found.append(
                Error(
                    f"Key {number} of CREDENTIAL_KEYS is not a Fernet key.",
                    hint="Separate several keys by commas; each is 44 characters long.",
                    id="resend_admin.E002",
                )
            )
    return found


@register()
def check_addresses(**kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    public = urlsplit(settings.PUBLIC_URL)
    if public.scheme not in {"http", "https"} or not public.hostname:
        found.append(
            Error(
                f"PUBLIC_URL is “{settings.PUBLIC_URL}”, which is no web address.",
                hint="Set it to the address people use, such as"
                " https://resend.example.org.",
                id="resend_admin.E003",
            )
        )
    engine = settings.DATABASES["default"]["ENGINE"]
    if engine != "django.db.backends.postgresql":
        found.append(
            Error(
                "DATABASE_URL does not name a PostgreSQL server.",
                hint="Only PostgreSQL 15 or newer keeps the promises made here;"
                " for example postgres://user:password@host/resend_admin.",
                id="resend_admin.E004",
            )
        )
    if settings.CELERY_BROKER_URL.partition("://")[0] not in BROKERS:
        found.append(
            Error(
                "BROKER_URL names no broker that is known to work.",
                hint=f"It begins with one of {', '.join(BROKERS)}.",
                id="resend_admin.E005",
            )
        )
    return found


@register()
def check_embedding(**kwargs: Any) -> list[CheckMessage]:
    return [
        Error(
            f"EMBED_ANCESTORS names “{origin}”, which is no origin.",
            hint="Write scheme, host and, if need be, port, and nothing behind them:"
            " https://desk.example.org. Separate several by commas.",
            id="resend_admin.E007",
        )
        for origin in settings.EMBED_ANCESTORS
        if not ORIGIN.fullmatch(origin)
    ]


ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-f:]+\](:\d+)?")
BROKERS = ("redis", "rediss", "amqp", "amqps")


@register()
def check_engine(**kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for name in ("DISPATCH_CHUNK", "DISPATCH_CONCURRENCY", "LATE_AFTER_SECONDS"):
        if getattr(settings, name) < 1:
            found.append(Error(f"{name} must be at least 1.", id="resend_admin.E006"))
    if settings.RESCUE_AFTER_SECONDS < SHORTEST_RESCUE:
        found.append(
            Warning(
                f"RESCUE_AFTER_SECONDS is below {SHORTEST_RESCUE}: attempts whose"
                " provider is merely slow will be called unknown.",
                id="resend_admin.W001",
            )
        )
    return found


SHORTEST_RESCUE = 75


@register()
def check_metrics(**kwargs: Any) -> list[CheckMessage]:
    if 0 < len(settings.METRICS_TOKEN) < SHORTEST_TOKEN:
        return [
            Warning(
                f"METRICS_TOKEN is shorter than {SHORTEST_TOKEN} characters, so it can"
                " be guessed.",
                hint="Make one by `openssl rand -hex 32`.",
                id="resend_admin.W002",
            )
        ]
    return []


SHORTEST_TOKEN = 24


@register()
def check_logs(**kwargs: Any) -> list[CheckMessage]:
    if settings.LOG_FORMAT in settings.LOG_FORMATS:
        return []
    return [
        Error(
            f"LOG_FORMAT is “{settings.LOG_FORMAT}”, which is no format of logs.",
            hint=f"Set it to one of {', '.join(settings.LOG_FORMATS)}.",
            id="resend_admin.E008",
        )
    ]
