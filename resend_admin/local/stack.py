"""What runs on one machine, and in which order."""

from __future__ import annotations

import http.client
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from resend_admin.local import env_file
from resend_admin.local.broker import PrivateBroker
from resend_admin.local.folder_lock import FolderLock
from resend_admin.local.ports import HOST, Ports, is_free
from resend_admin.local.postgres import PrivatePostgres
from resend_admin.local.problem import StartError
from resend_admin.local.roster import Roster
from resend_admin.local.supervisor import StopRequested, Supervisor
from resend_admin.local.terminal import say

ANSWER_SECONDS = 120.0
RUNTIME = (
    "DATABASE_URL",
    "BROKER_URL",
    "SECRET_KEY",
    "CREDENTIAL_KEYS",
    "PUBLIC_URL",
    "SANDBOX_URL",
    "SANDBOX_SMTP_PORT",
)
"""What a second terminal needs to know to reach the running servers."""

PEOPLE = """
  Log in as    agent     reads
               editor    sends, cancels and retries
               admin     manages everything
  Password     demo

  Programs     key demo-key, secret demo-secret
               bearer token 6f1c2a54-9b1e-4c0e-8d53-2f6a3f1f7b10
"""
FIRST_PERSON = """
  Add the first person from a second terminal:
  .venv/bin/python manage.py createsuperuser
"""


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    project: Path
    folder: Path
    port: int
    sandbox: bool
    demo: bool
    """Whether to fill in the demo organization once everything runs."""


class LocalStack:
    """The whole product in one folder, for as long as `run` runs."""

    def __init__(self, options: Options, environment: Mapping[str, str]) -> None:
        self.options = options
        self.folder = options.folder
        self.environment = dict(environment)
        self.roster = Roster(options.project, self.folder, self.environment)
        self.supervisor = Supervisor()
        self.lock = FolderLock(
            self.folder / "lock",
            f"Resend Admin already runs with the data in {self.folder}: stop it"
            " first, or set LOCAL_FOLDER to another folder.",
        )

    def run(self) -> None:
        """Start everything, look after it until a signal, stop everything.

        Raises:
            StartError: with the reason in one sentence.
        """
        self.supervisor.listen()
        self.take_folder()
        try:
            self.start()
            self.supervisor.watch()
        except StopRequested:
            say("\nStopping…")
        finally:
            self.supervisor.stop()
            (self.folder / "runtime.env").unlink(missing_ok=True)
            self.lock.release()
        say("Stopped.")

    def take_folder(self) -> None:
        try:
            (self.folder / "logs").mkdir(parents=True, exist_ok=True)
            self.lock.acquire()
            kept = env_file.keep_secrets(self.folder / "secrets.env")
        except OSError as error:
            raise StartError(
                f"The folder {self.folder} cannot be used ({error.strerror}): start"
                " as the user that it belongs to, or set LOCAL_FOLDER to another"
                " folder."
            ) from None
        for name, value in kept.items():
            self.environment.setdefault(name, value)
        if not is_free(self.options.port):
            raise StartError(
                f"Port {self.options.port} is already in use: stop what uses it, or"
                " choose another one, for example PORT=8001."
            )

    def start(self) -> None:
        ports = Ports(self.folder / "ports.json")
        self.environment |= {
            "PUBLIC_URL": f"http://{HOST}:{self.options.port}",
            "STATIC_ROOT": str(self.folder / "static"),
            "LOCAL_FOLDER": str(self.folder),
            "PYTHONUNBUFFERED": "1",
        }
        # Somebody sits at this terminal.
        self.environment.setdefault("LOG_FORMAT", "line")
        if "DATABASE_URL" not in self.environment:
            self.start_postgres(ports.claim("postgres"))
        if "BROKER_URL" not in self.environment:
            self.start_broker(ports.claim("broker"))
        if self.options.sandbox:
            self.environment |= {
                "SANDBOX_URL": f"http://{HOST}:{ports.claim('sandbox')}",
                "SANDBOX_SMTP_PORT": str(ports.claim("sandbox_smtp")),
            }
        env_file.write(
            self.folder / "runtime.env",
            {
                name: self.environment[name]
                for name in RUNTIME
                if name in self.environment
            },
        )
        say("Preparing the database and the pages…")
        self.supervisor.run(
            self.roster.manage("migrate", "--no-input"),
            self.roster.manage("collectstatic", "--no-input", "--verbosity=0"),
        )
        say("Starting the web server and the workers…")
        # The last one started is the first to stop: the providers outlive the
        # worker, and the web server, which takes their receipts, outlives them.
        self.supervisor.start(self.roster.web(self.options.port))
        if self.options.sandbox:
            self.start_sandbox(ports)
        self.supervisor.start(self.roster.worker())
        self.supervisor.start(self.roster.beat())
        self.await_answer(self.options.port, "web")
        self.greet()
        if self.options.demo:
            self.start_demo(ports)

    def start_postgres(self, port: int) -> None:
        say("Starting PostgreSQL…")
        postgres = PrivatePostgres(
            self.folder / "postgres",
            port=port,
            log=self.roster.log("postgres"),
            pause=self.supervisor.pause,
        )
        self.supervisor.start(postgres)
        self.environment["DATABASE_URL"] = postgres.url

    def start_broker(self, port: int) -> None:
        say("Starting the broker…")
        broker = PrivateBroker(
            self.folder / "broker",
            port=port,
            log=self.roster.log("broker"),
            pause=self.supervisor.pause,
        )
        self.supervisor.start(broker)
        self.environment["BROKER_URL"] = broker.url

    def start_sandbox(self, ports: Ports) -> None:
        self.supervisor.start(
            self.roster.sandbox(ports.chosen["sandbox"], ports.chosen["sandbox_smtp"])
        )

    def start_demo(self, ports: Ports) -> None:
        """Fill in the demo organization while its pages can be seen already."""
        if self.options.sandbox:
            self.await_answer(ports.chosen["sandbox"], "sandbox")
        say("  The demo organization is being prepared…")
        self.supervisor.start_job(
            self.roster.manage("seed_demo"), "  The demo organization is ready."
        )

    def greet(self) -> None:
        logs = self.folder / "logs"
        if logs.is_relative_to(Path.cwd()):
            logs = logs.relative_to(Path.cwd())
        say(
            f"\n  Resend Admin runs at {self.environment['PUBLIC_URL']}/\n"
            f"{PEOPLE if self.options.demo else FIRST_PERSON}\n"
            f"  Logs are in {logs}{os.sep}. Ctrl-C stops everything.\n"
        )

    def await_answer(self, port: int, name: str) -> None:
        """Wait until the program answers on its port, whatever it answers."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while not answers(port):
            self.supervisor.look_after_services()
            if time.monotonic() > deadline:
                raise StartError(
                    f"The {name} does not answer on port {port}:"
                    f" {self.roster.log(name)} says why."
                )
            self.supervisor.pause(0.1)


def answers(port: int) -> bool:
    """Return whether a web server answers on the port, errors of its own apart."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
