from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from resend_admin.sandbox.log import read
from resend_admin.sandbox.thread import Sandbox
from tests.sandbox.receiver import PATIENCE, call


def command(log: Path, *more: str) -> list[str]:
    ports = ["--port=0", "--smtp-port=0"]
    return [sys.executable, "-m", "resend_admin.sandbox", f"--log={log}", *ports, *more]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_says_when_it_is_ready_and_stops_when_asked(
    tmp_path: Path, number: signal.Signals
) -> None:
    log = tmp_path / "folder" / "sandbox.jsonl"
    with subprocess.Popen(
        command(log), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            ready = process.stdout.readline()
            found = re.search(r"ready: (http://127\.0\.0\.1:\d+)", ready)
            assert found, ready
            url = found.group(1)
            assert call("GET", f"{url}/healthz").status == 200
            call("GET", f"{url}/telegram/bot1:x/sendMessage?chat_id=12345&text=Hello")
            process.send_signal(number)
            assert process.wait(PATIENCE) == 0
            assert process.stderr.read() == ""
        finally:
            process.kill()
    (entry,) = read(log)
    assert entry.recipient == "12345"


def test_what_was_answered_stands_in_the_log_of_a_killed_process(
    tmp_path: Path,
) -> None:
    log = tmp_path / "sandbox.jsonl"
    with subprocess.Popen(command(log), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
            assert found
            send = f"{found.group()}/telegram/bot1:x/sendMessage?text=Hello&chat_id="
            answered = [
                chat
                for chat in range(10_100, 10_150)
                if call("GET", f"{send}{chat}").status == 200
            ]
        finally:
            process.kill()
    assert answered
    assert [int(entry.recipient) for entry in read(log) if entry.accepted] == answered


def test_a_taken_port_gives_one_sentence(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        ended = subprocess.run(
            command(tmp_path / "log", f"--port={sandbox.port}"),
            capture_output=True,
            text=True,
            timeout=PATIENCE * 3,
            check=False,
        )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1
    assert str(sandbox.port) in ended.stderr
