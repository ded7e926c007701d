"""Print the address of one member's communication tab, for a frame."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from messaging import embed
from messaging.models import Contact


class Command(BaseCommand):
    help = "Prints an address that shows one member's communication for minutes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("organization", type=int, help="id of the organization")
        parser.add_argument("member", help="external id of the member")
        parser.add_argument(
            "--write", action="store_true", help="also lets messages be sent again"
        )
        parser.add_argument(
            "--minutes",
            type=int,
            default=embed.MINUTES,
            help=f"until it expires: {embed.MINUTES} unless told",
        )
        parser.add_argument("--person", default="", help="who is going to look at it")
        parser.add_argument("--host", default="", help="name of the other product")

    def handle(self, *args: Any, **options: Any) -> None:
        member = (
            Contact.objects.select_related("organization")
            .filter(
                organization_id=options["organization"], external_id=options["member"]
            )
            .first()
        )
        if member is None:
            message = (
                f"Organization {options['organization']} has no member"
                f" “{options['member']}”."
            )
            raise CommandError(message)
        access = embed.Access.WRITE if options["write"] else embed.Access.READ
        try:
            token = embed.make_token(
                member.organization,
                member.external_id,
                access=access,
                minutes=options["minutes"],
                person=options["person"],
                host=options["host"],
            )
        except ValueError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(embed.address(token, member.external_id))
