from __future__ import annotations

import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def static_files_as_they_are(settings: Settings) -> None:
    """The files have not been collected under hashed names when these tests run."""
    settings.WHITENOISE_AUTOREFRESH = True
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {
            "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        },
    }
