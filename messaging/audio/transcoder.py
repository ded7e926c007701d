"""The child process: turns one clip into Ogg with Opus, or says why it cannot.

``python -m messaging.audio.transcoder`` reads the clip from its standard input and
writes a line of JSON, then the file. Decoders are fed by strangers, so they run here:
with little memory, little time, no network and nothing of the application.
"""

from __future__ import annotations

import io
import json
import resource
import sys
from typing import Any, Final

LONGEST_SECONDS: Final = 600
RATE: Final = 48_000
BIT_RATE: Final = 32_000
MEMORY_BYTES: Final = 1024 * 1024 * 1024
CPU_SECONDS: Final = 30


def kind_of(data: bytes) -> tuple[str, str]:
    """Return FFmpeg's name of the format and its media type, by the first bytes.

    What is not listed is not opened, playlists that lead elsewhere above all.
    """
    if data.startswith(b"OggS"):
        return "ogg", "audio/ogg"
    if data.startswith(b"RIFF") and data[8:12] == b"WAVE":
        return "wav", "audio/wav"
    if data.startswith(b"fLaC"):
        return "flac", "audio/flac"
    if data[4:8] == b"ftyp":
        return "mp4", "audio/mp4"
    if data.startswith(b"\x1a\x45\xdf\xa3"):
        return "matroska", "audio/webm"
    if data.startswith(b"#!AMR"):
        return "amr", "audio/amr"
    if len(data) > 2 and data[0] == 0xFF and data[1] & 0xF6 == 0xF0:
        return "aac", "audio/aac"
    is_frame = len(data) > 2 and data[0] == 0xFF and data[1] & 0xE0 == 0xE0
    if data.startswith(b"ID3") or is_frame:
        return "mp3", "audio/mpeg"
    return "", ""


def transcode(data: bytes) -> tuple[dict[str, Any], bytes]:
    """Return what was found and the file. Raises ``ValueError`` with a sentence."""
    import av

    name, media_type = kind_of(data)
    if not name:
        message = (
            "The file is no audio that is known here: MP3, Ogg, WAV, FLAC, AAC, M4A,"
            " WebM or AMR."
        )
        raise ValueError(message)
    sink = io.BytesIO()
    samples = 0
    try:
        with (
            av.open(io.BytesIO(data), format=name) as clip,
            av.open(sink, "w", format="ogg") as file,
        ):
            if not clip.streams.audio:
                message = "The file has no sound in it."
                raise ValueError(message)
            opus = file.add_stream("libopus", rate=RATE, layout="mono")
            opus.bit_rate = BIT_RATE
            resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
            assert isinstance(clip, av.container.InputContainer)
            for frame in clip.decode(audio=0):
                frame.pts = None
                for piece in resampler.resample(frame):
                    samples += piece.samples
                    if samples > LONGEST_SECONDS * RATE:
                        minutes = LONGEST_SECONDS // 60
                        message = f"The clip is longer than {minutes} minutes."
                        raise ValueError(message)
                    file.mux(opus.encode(piece))
            for piece in resampler.resample(None):
                samples += piece.samples
                file.mux(opus.encode(piece))
            file.mux(opus.encode(None))
    except av.error.FFmpegError:
        message = f"The file says it is {media_type} and cannot be decoded."
        raise ValueError(message) from None
    if not samples:
        message = "The clip has no sound in it."
        raise ValueError(message)
    facts = {
        "original_format": media_type,
        "audio_duration_seconds": round(samples / RATE, 1),
    }
    return facts, sink.getvalue()


def main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    data = sys.stdin.buffer.read()
    try:
        facts, ogg = transcode(data)
    except ValueError as problem:
        facts, ogg = {"problem": str(problem)}, b""
    except MemoryError:
        facts, ogg = {"problem": "The clip needs more memory than it may have."}, b""
    sys.stdout.buffer.write(json.dumps(facts).encode() + b"\n" + ogg)
    return 0


if __name__ == "__main__":
    sys.exit(main())
