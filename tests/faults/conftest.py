"""One plant for all tests of this folder: to start it takes longer than to break it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.plant import Plant, Size


@pytest.fixture(scope="session")
def plant() -> Iterator[Plant]:
    with tempfile.TemporaryDirectory(prefix="resend-admin-faults-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with Plant(folder, Size(rescue_after=40)) as running:
            yield running
