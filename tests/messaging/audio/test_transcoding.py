"""Clips become Ogg with Opus, and what is no clip is told so."""

from __future__ import annotations

import io
import subprocess
import sys

import av
import pytest

from messaging.audio import transcoding
from messaging.audio.transcoder import kind_of
from messaging.audio.transcoding import AudioError, transcode
from tests.messaging.audio.clips import wav


def test_a_wave_becomes_opus() -> None:
    clip = transcode(wav(2.5))

    assert clip.facts["original_format"] == "audio/wav"
    assert clip.facts["audio_duration_seconds"] == pytest.approx(2.5, abs=0.1)
    with av.open(io.BytesIO(clip.ogg)) as file:
        stream = file.streams.audio[0]
        assert file.format.name == "ogg"
        assert stream.codec_context.name in {"opus", "libopus"}
        assert stream.codec_context.layout.name == "mono"


def test_what_was_made_can_be_made_again() -> None:
    assert transcode(transcode(wav()).ogg).facts["original_format"] == "audio/ogg"


def test_ten_minutes_are_the_most() -> None:
    with pytest.raises(AudioError, match="longer than 10 minutes"):
        transcode(wav(601, rate=2_000))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no audio that is known"),
        (b"#EXTM3U\nfile:///etc/passwd", "no audio that is known"),
        (b"ffconcat version 1.0\nfile /etc/passwd", "no audio that is known"),
        (b"\x89PNG\r\n\x1a\n" + b"0" * 100, "no audio that is known"),
        (b"OggS" + b"\x00" * 200, "cannot be decoded"),
        (b"RIFF\x00\x00\x00\x00WAVE", "cannot be decoded"),
        (b"ID3" + b"\x00" * 400, "cannot be decoded"),
    ],
)
def test_what_is_no_clip_is_told_so(data: bytes, why: str) -> None:
    with pytest.raises(AudioError, match=why):
        transcode(data)


def test_what_it_is_follows_from_its_bytes_not_from_its_name() -> None:
    assert kind_of(wav(0.1)) == ("wav", "audio/wav")
    assert kind_of(b"\xff\xf1\x50\x80") == ("aac", "audio/aac")
    assert kind_of(b"\xff\xfb\x90\x00") == ("mp3", "audio/mpeg")
    assert kind_of(b"<html>") == ("", "")


def test_a_child_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcoding, "PATIENCE_SECONDS", 0.01)

    with pytest.raises(AudioError, match="too long to convert"):
        transcode(wav())


def test_a_child_that_dies_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def dead(*arguments: object, **options: object) -> object:
        return subprocess.CompletedProcess([], -9, b"", b"")

    monkeypatch.setattr(subprocess, "run", dead)

    with pytest.raises(AudioError, match="cannot be converted"):
        transcode(wav())


def test_the_child_may_not_have_all_the_memory() -> None:
    text = (
        "import sys; sys.argv=['x']; from messaging.audio import transcoder as t;"
        "t.transcode=lambda data: bytearray(t.MEMORY_BYTES); t.main()"
    )
    done = subprocess.run([sys.executable, "-c", text], input=b"", capture_output=True)

    assert b"more memory than it may have" in done.stdout
