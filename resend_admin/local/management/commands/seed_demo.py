"""``manage.py seed_demo``: fill in the demo organization."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from resend_admin.local import demo


class Command(BaseCommand):
    help = "Make the demo organization, or bring its addresses up to date."

    def handle(self, *args: Any, **options: Any) -> None:
        made = demo.seed()
        self.stdout.write("Made." if made else "It was there already.")
