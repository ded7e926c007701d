"""Break everything while it works, let it settle, and check: ``make torture``.

``python -m tests.faults.torture --kills 1000 --seed 7`` prints what it does and, at
the end, a report for a person. The exit status is 0 only without a violation.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.faults.checker import violations
from tests.faults.evidence import Evidence, gather
from tests.faults.plant import Plant, Size, patiently
from tests.faults.report import report
from tests.faults.storm import Strike, disturbance, storm
from tests.local.processes import PROJECT

SETTLE_SECONDS = 60.0
"""How long nothing may move, once nothing is broken any more, before it is at rest."""
LONGEST = 600.0
BREATH_SECONDS = 7.0
"""How long a strike waits for the work to go on; a kill of what is only starting
would prove nothing."""
BREATH_ATTEMPTS = 4
"""Attempts that have to be made between two strikes."""
QUIET_SECONDS = 6.0
"""No word between the sandbox and us for so long: a refused post comes again after
five seconds at most."""
PROGRESS_EVERY = 15.0


@dataclass(frozen=True)
class Wish:
    """How long and how hard. ``gap``: mean seconds between strikes."""

    kills: int = 1000
    seed: int = 7
    minutes: float = 60.0
    gap: float = 0.5
    members: int = 120
    size: Size = field(default_factory=Size)


@dataclass
class Torture:
    """One run: the plant, the people, and what was done to them."""

    plant: Plant
    wish: Wish
    done: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    attempts: int = 0
    started_at: float = field(default_factory=time.monotonic)
    settled_after: float = 0.0
    said_at: float = 0.0

    def run(self) -> Evidence:
        self.plant.start_people(self.wish.members, self.wish.seed)
        ends_at = time.monotonic() + self.wish.minutes * 60
        for strike in storm(self.wish.seed, self.wish.kills, gap=self.wish.gap):
            time.sleep(strike.after)
            self.let_them_work()
            self.strike(strike)
            self.say_now_and_then()
            if time.monotonic() > ends_at:
                say(f"The time is up after {self.kills} kills.")
                break
        self.plant.calm()
        self.plant.ask_to_stop("people")
        self.settle()
        return gather(
            self.plant.postgres.url, self.plant.sandbox_log, self.plant.people_log
        )

    # -- breaking -------------------------------------------------------------------

    def strike(self, strike: Strike) -> None:
        plant, what = self.plant, strike.what
        self.done[what] += 1
        self.kills += strike.is_kill
        subject = what.partition(" ")[2]
        match what.partition(" ")[0]:
            case "child":
                plant.kill_child(what.removeprefix("child of "), strike.dice)
            case "broker":
                plant.kill_broker(strike.dice)
            case "empty":
                plant.empty_broker()
            case "postgres":
                fast = subject == "fast"
                plant.stop_postgres(signal.SIGINT if fast else signal.SIGQUIT)
                time.sleep(3 * strike.dice**2)
                plant.start_postgres()
            case "term":
                plant.ask_to_stop(subject)
            case "receipts":
                plant.behave(receipts=subject)
            case "calm":
                plant.behave(reset=True)
            case _ if strike.is_kill:
                plant.kill(what)
            case _:
                plant.behave(
                    channel=_channel(strike.dice),
                    **disturbance(what, strike.dice).fields(),
                )
        plant.mend()

    # -- coming to rest ---------------------------------------------------------------

    def settle(self) -> None:
        """Wait until nothing moves any more; what is left then the checker finds."""
        say("Nothing is broken any more; waiting until everything has settled.")
        began = moved_at = time.monotonic()
        standing: tuple[int, ...] = ()
        while not self.is_at_rest():
            now = time.monotonic()
            if standing != (standing := self.standing()):
                moved_at = now
            self.say_now_and_then()
            if max(now - moved_at - SETTLE_SECONDS, now - began - LONGEST) > 0:
                break
            time.sleep(0.5)
        self.settled_after = time.monotonic() - began

    def let_them_work(self) -> None:
        """Wait until some attempts were made since the last strike."""
        reached = self.attempts + BREATH_ATTEMPTS
        patiently(lambda: self.standing()[1] >= reached, BREATH_SECONDS)
        self.attempts = self.standing()[1]

    def standing(self) -> tuple[int, ...]:
        with psycopg.connect(self.plant.postgres.url) as connection:
            row = connection.execute(STANDING).fetchone()
        assert row is not None
        return row

    def is_at_rest(self) -> bool:
        self.plant.mend()
        log = self.plant.sandbox_log
        quiet = log.exists() and time.time() - log.stat().st_mtime > QUIET_SECONDS
        child = self.plant.programs.get("people")
        if not quiet or child is None or child.poll() is None:
            return False
        with psycopg.connect(self.plant.postgres.url) as connection:
            row = connection.execute(AT_REST).fetchone()
        return row is not None and bool(row[0])

    def say_now_and_then(self) -> None:
        now = time.monotonic()
        if now - self.said_at < PROGRESS_EVERY:
            return
        self.said_at = now
        messages, attempts, opened, unknown, _ = self.standing()
        say(
            f"{now - self.started_at:5.0f} s  {self.kills:4} kills"
            f"  {messages:6} messages  {attempts:6} attempts"
            f"  {opened:4} open  {unknown:4} unknown"
        )


# Nothing begins either while the evidence is gathered.
AT_REST = """
SELECT NOT EXISTS (SELECT FROM messaging_attempt WHERE state = 'open')
   AND NOT EXISTS (SELECT FROM messaging_receipt WHERE applied_at IS NULL)
   AND NOT EXISTS (SELECT FROM messaging_message
                   WHERE state = 'queued'
                     AND due_at <= now() + interval '10 seconds')
   AND NOT EXISTS (SELECT FROM broadcasts_broadcast
                   WHERE state = 'sending' OR is_settling
                      OR state = 'scheduled'
                         AND run_at <= now() + interval '10 seconds')
   AND NOT EXISTS (SELECT FROM messaging_bulkresend WHERE finished_at IS NULL)
"""
STANDING = """
SELECT (SELECT count(*) FROM messaging_message),
       (SELECT count(*) FROM messaging_attempt),
       (SELECT count(*) FROM messaging_attempt WHERE state = 'open'),
       (SELECT count(*) FROM messaging_attempt WHERE state = 'unknown'),
       (SELECT count(*) FROM messaging_receipt WHERE applied_at IS NOT NULL)
"""


def _channel(dice: float) -> str:
    """WhatsApp has most of the senders, so it has most of the trouble."""
    return ("whatsapp", "whatsapp", "telegram", "sms", "email")[int(dice * 5000) % 5]


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def run(wish: Wish, folder: Path) -> dict[str, list[str]]:
    """Run one torture in an empty folder; print the report, return violations."""
    with Plant(folder, wish.size) as plant:
        torture = Torture(plant, wish)
        facts = torture.run()
        found = violations(facts)
        say(
            report(
                facts,
                found,
                done=torture.done,
                kills=torture.kills,
                seconds=time.monotonic() - torture.started_at,
                settled_after=torture.settled_after,
                seed=wish.seed,
            )
        )
        facts.connection.close()
    return found


def main() -> int:
    arguments = _arguments()
    Path(arguments.under).mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="resend-admin-torture-", dir=arguments.under))
    folder.chmod(0o711)
    wish = Wish(
        kills=arguments.kills,
        seed=arguments.seed,
        minutes=arguments.minutes,
        gap=arguments.gap,
        members=arguments.members,
    )
    say(f"Seed {wish.seed}, {wish.kills} kills; logs and data in {folder}")
    found = run(wish, folder)
    if not found and not arguments.keep:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if found else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults.torture",
        description="Break everything while it works, and see what got lost.",
    )
    environ = os.environ.get
    parser.add_argument("--kills", type=int, default=int(environ("KILLS") or 1000))
    parser.add_argument(
        "--seed", type=int, default=int(environ("SEED") or time.time() % 1_000_000)
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=float(environ("MINUTES") or 60),
        help="at most so many, settling apart (60)",
    )
    parser.add_argument(
        "--gap", type=float, default=0.5, help="mean seconds between strikes (0.5)"
    )
    parser.add_argument(
        "--members", type=int, default=120, help="of each organization (120)"
    )
    parser.add_argument("--keep", action="store_true", help="keep data and logs")
    parser.add_argument(
        "--under", default=str(PROJECT / ".local"), help="folder for the data"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
