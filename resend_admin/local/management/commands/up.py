"""Everything in one command: servers, web, worker, beat, sandbox."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import get_commands
from django.core.management.base import BaseCommand, CommandParser

from resend_admin.local.problem import StartError
from resend_admin.local.stack import LocalStack, Options


class Command(BaseCommand):
    help = (
        "Start PostgreSQL, the broker, the web server, a worker, beat and the"
        " sandbox, look after them, and stop them together. DATABASE_URL and"
        " BROKER_URL name servers to use instead of private ones."
    )
    # There is no database yet when this command starts.
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--demo", action="store_true", help="Fill in the demo organization."
        )
        parser.add_argument(
            "--port",
            type=int,
            default=os.environ.get("PORT") or 8000,
            help="Port of the web server (default: PORT, else 8000).",
        )
        parser.add_argument(
            "--no-sandbox",
            action="store_true",
            help="Do not start the stand-in providers.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder = Path(settings.LOCAL_FOLDER).absolute()
        # Not what settings read of an earlier run: its servers may be gone, or going,
        # and must not pass for servers that somebody has named.
        named = settings.NAMED_BY_PERSON
        environment = {name: os.environ[name] for name in os.environ if name in named}
        choice = Options(
            project=Path(settings.BASE_DIR),
            folder=folder,
            port=options["port"],
            sandbox=not options["no_sandbox"],
            demo=options["demo"] and "seed_demo" in get_commands(),
        )
        try:
            LocalStack(choice, environment).run()
        except StartError as problem:
            sys.exit(str(problem))
