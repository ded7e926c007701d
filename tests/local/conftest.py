from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that other accounts may enter, unlike pytest's own."""
    made = Path(tempfile.mkdtemp(prefix="resend-admin-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)
