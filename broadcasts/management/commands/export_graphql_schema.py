"""``manage.py export_graphql_schema``: write the schema of ``/graphql`` to its file."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from broadcasts.graphql.schema import FILE, written


class Command(BaseCommand):
    help = f"Write the schema of /graphql to {FILE.name}, for programs and reviews."

    def handle(self, *args: Any, **options: Any) -> None:
        FILE.write_text(written())
        self.stdout.write(f"{FILE} is written.")
