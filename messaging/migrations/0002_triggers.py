"""The invariants that PostgreSQL keeps by itself: immutable content, tallies
that follow their rows, and an account that is the sum of its ledger."""

from __future__ import annotations

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


def script(name: str, *functions: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        (SQL / f"{name}.sql").read_text(),
        "".join(f"DROP FUNCTION {function} CASCADE;" for function in functions),
    )


class Migration(migrations.Migration):
    dependencies = [("messaging", "0001_initial")]

    operations = [
        script("content_is_immutable", "messaging_content_refuse_change"),
        script(
            "tally_counts_messages", "messaging_tally_messages", "messaging_tally_code"
        ),
        script(
            "tally_counts_attempts",
            "messaging_tally_attempts",
            "messaging_attempt_born_open",
        ),
        script(
            "ledger_moves_account",
            "messaging_ledger_moves_account",
            "messaging_ledger_refuse_change",
        ),
    ]
