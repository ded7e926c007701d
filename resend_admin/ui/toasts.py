"""Short notes that confirm what just happened. Never the only place of an error."""

from __future__ import annotations

from typing import TypeVar

from django.http import HttpResponseBase
from django_htmx.http import trigger_client_event

Response = TypeVar("Response", bound=HttpResponseBase)


def toast(response: Response, text: str) -> Response:
    """Let ``response`` to an htmx request show ``text`` for a few seconds.

    A page that is loaded as a whole uses ``django.contrib.messages`` instead; the
    base template shows those in the same place.
    """
    return trigger_client_event(response, "toast", {"text": text})
