"""What people wanted, written down before they ask for it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any


class Diary:
    """What was asked for, in the order of asking, safe from any kill."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, what: str, **fields: Any) -> None:
        line = json.dumps({"what": what, "at": time.time(), **fields})
        os.write(self._file, f"{line}\n".encode())
