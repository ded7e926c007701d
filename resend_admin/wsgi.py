"""The WSGI door for granian or any other server."""

from __future__ import annotations

import os
from typing import Any

from django.core.signals import request_finished
from django.core.wsgi import get_wsgi_application

from resend_admin import garbage

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resend_admin.settings")

application = get_wsgi_application()


def expect_little_garbage(**kwargs: Any) -> None:
    """Once more after the first request, for which Django has loaded all views."""
    request_finished.disconnect(expect_little_garbage)
    garbage.expect_little()


garbage.expect_little()
request_finished.connect(expect_little_garbage)
