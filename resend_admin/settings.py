"""Settings, all of them from the environment; README lists them in one table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
LOCAL_FOLDER = env.path("LOCAL_FOLDER", default=str(BASE_DIR / ".local"))
NAMED_BY_PERSON = frozenset(env.ENVIRON)
# Written by `manage.py up`, so that a second terminal finds the running servers.
if "DATABASE_URL" not in env.ENVIRON:
    env.read_env(str(LOCAL_FOLDER("runtime.env")))

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="")
CREDENTIAL_KEYS: list[str] = env.list("CREDENTIAL_KEYS", default=[])
ALLOWED_HOSTS: list[str] = env.list(
    "ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"]
)
PUBLIC_URL = env.str("PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
CSRF_FAILURE_VIEW = "resend_admin.ui.views.form_refused"
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[PUBLIC_URL])
SANDBOX_URL = env.str("SANDBOX_URL", default="")
SANDBOX_SMTP_PORT = env.int("SANDBOX_SMTP_PORT", default=0)

INSTALLED_APPS = [
    # First, so that our admin can take its pages off the list again.
    "oauth2_provider",
    "resend_admin.ui",
    "resend_admin",
    "resend_admin.local",
    "broadcasts",
    "messaging",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
    "django_filters",
    "django_htmx",
    "ninja",
    "template_partials",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "resend_admin.ui.time_zones.TimeZoneMiddleware",
]

ROOT_URLCONF = "resend_admin.urls"
WSGI_APPLICATION = "resend_admin.wsgi.application"
FORM_RENDERER = "resend_admin.ui.forms.Renderer"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "resend_admin.ui.context.page",
            ],
        },
    },
]

# -- PostgreSQL ---------------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url(
        "DATABASE_URL", default="postgres://resend_admin@127.0.0.1/resend_admin"
    )
}
DATABASES["default"]["OPTIONS"] = {
    **DATABASES["default"].get("OPTIONS", {}),
    "pool": {
        "min_size": 1,
        "max_size": env.int("DATABASE_POOL_SIZE", default=8),
        # So long a page waits for a restart before it says that it has to.
        "timeout": 4,
    },
    "options": (
        f"-c statement_timeout={env.int('STATEMENT_TIMEOUT_MS', default=30_000)}"
        " -c idle_in_transaction_session_timeout=60000"
    ),
}
# A connection that did not survive a restart is replaced before it is used.
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"]["TEST"] = {"NAME": "resend_admin_test"}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- People -------------------------------------------------------------------

AUTH_USER_MODEL = "messaging.User"
AUTHENTICATION_BACKENDS = ["messaging.access.RightsBackend"]
SESSION_ENGINE = "messaging.models.session"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    # Whoever logs in with an older hash gets a new one.
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "login"

# -- Time and language --------------------------------------------------------

LANGUAGE_CODE = "en-gb"
USE_I18N = False
USE_THOUSAND_SEPARATOR = True
TIME_ZONE = "UTC"
USE_TZ = True

# -- Static files -------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = env.str("STATIC_ROOT", default=str(LOCAL_FOLDER("static")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}

# -- Security -----------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
EMBED_ANCESTORS: list[str] = env.list("EMBED_ANCESTORS", default=[])
"""Origins that may show a member's communication in a frame; no other page may."""
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SERVED_OVER_TLS = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SERVED_OVER_TLS
SECURE_HSTS_SECONDS = 31_536_000 if SERVED_OVER_TLS else 0
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
"""Whether a proxy of one's own says where requests come from, and how."""
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    USE_X_FORWARDED_HOST = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

# -- Programs: OAuth 2 client credentials, and nothing else of OAuth ------------

OAUTH2_PROVIDER_APPLICATION_MODEL = "oauth2_provider.Application"
OAUTH2_PROVIDER = {
    "SCOPES": {
        "communication.read": "Ask for the state of messages",
        "communication.write": "Send messages, and send them again",
    },
    "SCOPES_BACKEND_CLASS": "messaging.api.oauth.ClientScopes",
    "OAUTH2_SERVER_CLASS": "oauthlib.oauth2.BackendApplicationServer",
    "OAUTH2_VALIDATOR_CLASS": "messaging.api.oauth.ClientValidator",
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    # RFC 9700. Tokens are kept as hashes, like secrets; the rest is about grants
    # that there are none of.
    **{
        f"COMPLIANT_BCP_RFC9700_{name}": True
        for name in (
            "TOKEN_STORAGE",
            "IMPLICIT_GRANT",
            "PASSWORD_GRANT",
            "PKCE_METHOD",
            "ACCESS_TOKEN_TRANSPORT",
            "AUTHZ_RESPONSE_ISS",
        )
    },
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
}

# -- Celery: a doorbell, never the truth --------------------------------------

CELERY_BROKER_URL = env.str("BROKER_URL", default="redis://127.0.0.1:6379/0")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "resend_admin"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 5, "socket_connect_timeout": 5}
CELERY_BEAT_SCHEDULE = {
    "ring": {
        "task": "messaging.tasks.ring",
        "schedule": 1.0,
        "options": {"expires": 2},
    },
    "apply receipts": {
        "task": "messaging.tasks.apply_receipts",
        "schedule": 2.0,
        "options": {"expires": 4},
    },
    "rescue": {
        "task": "messaging.tasks.rescue",
        "schedule": 5.0,
        "options": {"expires": 10},
    },
    "tick broadcasts": {
        "task": "broadcasts.tasks.tick",
        "schedule": 1.0,
        "options": {"expires": 2},
    },
    "run bulk resends": {
        "task": "messaging.tasks.run_bulk_resends",
        "schedule": 2.0,
        "options": {"expires": 4},
    },
    "prune bulk resends": {
        "task": "messaging.tasks.prune_bulk_resends",
        "schedule": 24 * 3600.0,
        "options": {"expires": 3600},
    },
    "prune": {
        "task": "broadcasts.tasks.prune",
        "schedule": 24 * 3600.0,
        "options": {"expires": 3600},
    },
    "prune pairs": {
        "task": "messaging.tasks.prune_pairs",
        "schedule": 600.0,
        "options": {"expires": 300},
    },
    "deliver webhooks": {
        "task": "messaging.tasks.deliver_webhooks",
        "schedule": 1.0,
        "options": {"expires": 2},
    },
    "tend webhooks": {
        "task": "messaging.tasks.tend_webhooks",
        "schedule": 5.0,
        "options": {"expires": 10},
    },
    "prune webhooks": {
        "task": "messaging.tasks.prune_webhooks",
        "schedule": 3600.0,
        "options": {"expires": 600},
    },
    "make audio": {
        "task": "messaging.tasks.make_audio",
        "schedule": 5.0,
        "options": {"expires": 10},
    },
    "check devices": {
        "task": "messaging.tasks.check_devices",
        "schedule": 60.0,
        "options": {"expires": 55},
    },
    "tend retransmissions": {
        "task": "messaging.tasks.tend_retransmissions",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "prune retransmissions": {
        "task": "messaging.tasks.prune_retransmissions",
        "schedule": 24 * 3600.0,
        "options": {"expires": 3600},
    },
    "prune api": {
        "task": "messaging.tasks.prune_api",
        "schedule": 3600.0,
        "options": {"expires": 600},
    },
}

# -- The engine ---------------------------------------------------------------

DISPATCH_CHUNK = env.int("DISPATCH_CHUNK", default=1_000)
"""Messages that one claim takes at most."""
DISPATCH_CONCURRENCY = env.int("DISPATCH_CONCURRENCY", default=200)
"""Requests of one integration under way at the same time."""
RESCUE_AFTER_SECONDS = env.int("RESCUE_AFTER_SECONDS", default=120)
"""An attempt open for longer is in doubt: nobody is waiting for its answer."""
LATE_AFTER_SECONDS = env.int("LATE_AFTER_SECONDS", default=300)
"""What was due this long while the system was down is not sent any more."""

WEBHOOK_CONCURRENCY = env.int("WEBHOOK_CONCURRENCY", default=20)
"""Requests of one webhook endpoint under way at the same time."""
WEBHOOK_COURIERS = env.int("WEBHOOK_COURIERS", default=1)
"""Tasks that deliver webhooks at the same time, over all workers."""

FETCH_FROM_PRIVATE_ADDRESSES = env.bool("FETCH_FROM_PRIVATE_ADDRESSES", default=False)
"""Whether links that people enter may lead into the own network."""

UNREADABLE_EXPIRES_DAYS = env.int("UNREADABLE_EXPIRES_DAYS", default=7)
"""After so long a message that a device could not read is given up."""

AUDIO_WAIT_SECONDS = env.float("AUDIO_WAIT_SECONDS", default=8.0)
"""So long a program waits for a small clip before it is told to ask for the job."""

METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
"""What Prometheus must bring to read ``/metrics``; without it there is no such page."""

# -- Logs ---------------------------------------------------------------------

LOG_FORMATS = ("json", "line")
LOG_FORMAT = env.str("LOG_FORMAT", default="json").lower()
"""``json``: an object per line, for programs; ``line``: for people at a terminal."""

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "resend_admin.logs.Json"},
        "line": {"()": "resend_admin.logs.Line"},
    },
    "filters": {"hide_tokens": {"()": "resend_admin.logs.HideTokens"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": LOG_FORMAT if LOG_FORMAT in LOG_FORMATS else "json",
            "filters": ["hide_tokens"],
        }
    },
    "root": {
        "handlers": ["console"],
        "level": env.str("LOG_LEVEL", default="INFO"),
    },
    "loggers": {
        # A line for every ring, each second, says nothing.
        "celery": {"level": "WARNING"},
        # At DEBUG it writes tokens into the log.
        "oauthlib": {"level": "INFO"},
        # Django gives this one a handler of its own, past the filter.
        "django.server": {"handlers": ["console"], "propagate": False},
    },
}
