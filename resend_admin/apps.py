"""The project as an application: it registers the checks."""

from __future__ import annotations

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    name = "resend_admin"
    label = "project"

    def ready(self) -> None:
        from resend_admin import checks  # noqa: F401 - importing registers them
