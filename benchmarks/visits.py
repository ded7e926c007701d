"""Asking for pages through the whole stack of the web server, within this process."""

from __future__ import annotations


def prepare() -> None:
    """Keep what a page was made of, and name static files without collecting them.

    What the web server does before its first page is done, too.
    """
    from django.conf import settings
    from django.test.utils import setup_test_environment

    import resend_admin.wsgi  # noqa: F401

    setup_test_environment()
    settings.STORAGES["staticfiles"] = {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
    }
