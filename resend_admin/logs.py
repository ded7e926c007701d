"""What must never stand in a log."""

from __future__ import annotations

import logging
import re
from typing import Final

_TOKEN: Final = re.compile(r"(\btoken=)[^&\s\"'<>]+", re.IGNORECASE)


class HideTokens(logging.Filter):
    """Takes the tokens of embedded tabs out of addresses; each opens a member."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if "token=" in text.lower():
            record.msg = _TOKEN.sub(r"\1…", text)
            record.args = ()
        return True
