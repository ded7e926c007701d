"""The WSGI door for granian or any other server."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from resend_admin import garbage

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resend_admin.settings")

application = get_wsgi_application()

# All views, which Django would load for the first request.
get_resolver().url_patterns  # noqa: B018
garbage.expect_little()
