"""The settings of a project that queues with django-post_office."""

from __future__ import annotations

import os
from typing import Any

import environ

DATABASES = {"default": environ.Env.db_url_config(os.environ["PEER_DATABASE_URL"])}
SECRET_KEY = "benchmark"  # noqa: S105
INSTALLED_APPS = ["django.contrib.contenttypes", "post_office"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates"}]
EMAIL_BACKEND = "post_office.EmailBackend"
POST_OFFICE: dict[str, Any] = {
    "BACKENDS": {
        "default": "benchmarks.contenders.post_office_backend.ProviderBackend"
    },
}
if os.environ["PEER_IS_TUNED"] == "yes":
    POST_OFFICE |= {"BATCH_SIZE": 1000, "THREADS_PER_PROCESS": 10}
