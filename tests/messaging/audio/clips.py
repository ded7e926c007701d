"""Clips made in a test."""

from __future__ import annotations

import io
import math
import struct
import wave


def wav(seconds: float = 1.0, rate: int = 8_000) -> bytes:
    """Return a tone."""
    sink = io.BytesIO()
    with wave.open(sink, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        tone = [
            round(8_000 * math.sin(2 * math.pi * 440 * n / rate)) for n in range(rate)
        ]
        second = struct.pack(f"<{rate}h", *tone)
        whole, rest = divmod(seconds, 1)
        file.writeframes(second * int(whole) + second[: 2 * int(rest * rate)])
    return sink.getvalue()
