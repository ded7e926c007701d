"""Hand a clip to a child process and wait for it, but not for ever."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings

PATIENCE_SECONDS: Final = 45


class AudioError(Exception):
    """The clip cannot be used; the text says why, for a person."""


@dataclass(frozen=True, slots=True)
class Clip:
    """Ogg with Opus, and what was found out on the way."""

    ogg: bytes
    facts: dict[str, Any]


def transcode(data: bytes) -> Clip:
    """Return the clip as WhatsApp plays it. Raises :class:`AudioError`."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "messaging.audio.transcoder"],
            input=data,
            capture_output=True,
            timeout=PATIENCE_SECONDS,
            cwd=settings.BASE_DIR,
            env={"PATH": "", "PYTHONDONTWRITEBYTECODE": "1"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise AudioError(
            "The clip took too long to convert. Send a shorter one."
        ) from None
    line, _, ogg = done.stdout.partition(b"\n")
    try:
        facts: dict[str, Any] = json.loads(line)
    except ValueError:
        # The child was killed: by its limits, or because a decoder fell over.
        raise AudioError(
            "The clip cannot be converted. Send it as MP3 or Ogg."
        ) from None
    if "problem" in facts:
        raise AudioError(facts["problem"])
    return Clip(ogg, facts)
