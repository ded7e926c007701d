"""One owner per folder: a lock that the system drops when its owner dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from resend_admin.local.problem import StartError


class FolderLock:
    """An exclusive lock on a file; children do not inherit it."""

    def __init__(self, file: Path, refusal: str) -> None:
        self.file = file
        self.refusal = refusal
        self.held: IO[str] | None = None

    def acquire(self) -> None:
        """Take the lock at once.

        Raises:
            StartError: another process has it; the message is `refusal`.
        """
        opened = self.file.open("a+")
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            opened.close()
            raise StartError(self.refusal) from None
        opened.truncate(0)
        opened.write(f"{os.getpid()}\n")
        opened.flush()
        self.held = opened

    def release(self) -> None:
        if self.held is not None:
            self.held.close()
            self.held = None
