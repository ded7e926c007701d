from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from messaging.channels import PROVIDERS
from messaging.dispatch.flight import ATTEMPT_SECONDS
from resend_admin.local import leash
from resend_admin.local import supervisor as module
from resend_admin.local.problem import StartError
from resend_admin.local.program import Program
from resend_admin.local.roster import ANSWER_SECONDS, Roster
from resend_admin.local.supervisor import StopRequested, Supervisor
from tests.local.processes import alive, wait_until

SLEEP = "import time; time.sleep(600)"


@pytest.fixture
def supervisor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    monkeypatch.setattr(module, "LONGEST_BACKOFF_SECONDS", 0.0)
    made = Supervisor()
    yield made
    made.stop()


def program(folder: Path, code: str, name: str = "sleeper") -> Program:
    return Program(
        name=name,
        command=[sys.executable, "-c", code],
        environment=dict(os.environ),
        folder=folder,
        log=folder / f"{name}.log",
    )


def pid(program: Program) -> int:
    assert program.child is not None
    return program.child.pid


STUBBORN = (
    "import signal\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('ready', flush=True)\n"
    f"{SLEEP}"
)


def test_a_service_that_dies_is_started_again(
    supervisor: Supervisor, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sleeper = program(folder, SLEEP)
    supervisor.start(sleeper)
    first = pid(sleeper)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: sleeper.poll() is not None, "the kill")
    supervisor.look_after_services()
    supervisor.look_after_services()
    assert pid(sleeper) != first
    assert sleeper.poll() is None
    line = "The sleeper stopped unexpectedly (SIGKILL); starting it again in 0 s.\n"
    assert capsys.readouterr().out == line


def test_a_service_that_dies_again_and_again_is_given_up(
    supervisor: Supervisor, folder: Path
) -> None:
    supervisor.start(program(folder, "raise SystemExit(3)"))
    with pytest.raises(StartError, match=r"exit status 3.* 6 times in a row"):
        supervisor.watch()


def test_what_started_last_stops_first(supervisor: Supervisor, folder: Path) -> None:
    stopped: list[str] = []

    class Recorded(Program):
        def stop(self) -> None:
            super().stop()
            stopped.append(self.name)

    for name in ("first", "second", "third"):
        template = program(folder, SLEEP, name)
        supervisor.start(
            Recorded(name, template.command, template.environment, folder, template.log)
        )
    supervisor.stop()
    assert stopped == ["third", "second", "first"]


def test_helpers_of_a_program_stop_with_it(
    supervisor: Supervisor, folder: Path
) -> None:
    parent = program(
        folder,
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', {SLEEP!r}])\n"
        "print(child.pid, flush=True)\n"
        f"{SLEEP}",
    )
    supervisor.start(parent)
    wait_until(lambda: parent.log.read_text().endswith("\n"), "the helper")
    helper = int(parent.log.read_text())
    assert helper in alive()
    supervisor.stop()
    wait_until(lambda: helper not in alive(), "the helper to end")


def test_a_program_that_fails_says_why(supervisor: Supervisor, folder: Path) -> None:
    failing = program(folder, "raise SystemExit('Error: no more paper')", "printer")
    with pytest.raises(StartError, match=r"“printer” failed: Error: no more paper"):
        supervisor.run(failing)


def test_a_wish_to_stop_ends_every_wait(supervisor: Supervisor, folder: Path) -> None:
    supervisor.on_signal(signal.SIGTERM, None)
    with pytest.raises(StopRequested):
        supervisor.run(program(folder, SLEEP))
    with pytest.raises(StopRequested):
        supervisor.watch()


def test_a_second_ctrl_c_kills_what_takes_its_time(
    supervisor: Supervisor, folder: Path
) -> None:
    stubborn = program(folder, STUBBORN)
    supervisor.start(stubborn)
    wait_until(lambda: stubborn.log.read_text(), "the handler")
    supervisor.on_signal(signal.SIGINT, None)
    assert stubborn.poll() is None
    supervisor.on_signal(signal.SIGINT, None)
    wait_until(lambda: stubborn.poll() == -signal.SIGKILL, "the kill")


def test_a_slow_stop_says_what_it_waits_for_and_what_a_kill_cut_off(
    supervisor: Supervisor,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(leash, "SLOW_SECONDS", 0.1)
    stubborn = program(folder, STUBBORN, "worker")
    stubborn.stop_seconds = 0.3
    stubborn.when_killed = "Look at what is unknown."
    supervisor.start(stubborn)
    wait_until(lambda: stubborn.log.read_text(), "the handler")

    supervisor.stop()

    said = capsys.readouterr().out.splitlines()
    assert said == [
        "The worker finishes what it has begun, in 0 s at most; Ctrl-C kills it.",
        "The worker was killed. Look at what is unknown.",
    ]


def test_what_stops_at_once_says_nothing(
    supervisor: Supervisor, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    supervisor.start(program(folder, SLEEP))
    supervisor.stop()
    assert capsys.readouterr().out == ""


def test_everybody_gets_the_time_that_a_provider_may_take(folder: Path) -> None:
    roster = Roster(folder, folder, {})
    longest = max(provider.timeout for provider in PROVIDERS.values())
    (folder / "logs").mkdir()
    web = roster.web(1)
    assert roster.worker().stop_seconds > ATTEMPT_SECONDS
    assert f"--workers-kill-timeout={ANSWER_SECONDS}" in web.command
    assert longest < ANSWER_SECONDS < web.stop_seconds


def test_a_closed_window_is_a_wish_to_stop(supervisor: Supervisor) -> None:
    window, terminal = os.openpty()
    supervisor.terminal = terminal
    supervisor.pause(0)
    os.close(window)
    with pytest.raises(StopRequested):
        supervisor.pause(0)
    os.close(terminal)
