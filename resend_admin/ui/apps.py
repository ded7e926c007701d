from __future__ import annotations

from django.apps import AppConfig


class UiConfig(AppConfig):
    """What every page shares. Stands before ``django.contrib.admin`` so that
    ``admin/base_site.html`` is ours."""

    name = "resend_admin.ui"
    label = "ui"
    verbose_name = "Pages"
