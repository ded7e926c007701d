"""Messages count by the tries that they really had, not by those that were given back.

Reads the messages once, and moves what a few of them count for.
"""

from __future__ import annotations

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("messaging", "0033_attempts_follow_their_message")]

    operations = [
        migrations.RunSQL(
            (SQL / "tally_counts_tries.sql").read_text(), migrations.RunSQL.noop
        ),
    ]
