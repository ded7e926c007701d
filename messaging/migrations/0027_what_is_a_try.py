"""What was refused with the credentials counts as no try, as what never left.

What was counted before stays until ``check_tallies --repair``.
"""

from __future__ import annotations

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("messaging", "0026_cheaper_writes")]

    operations = [
        # Functions take the place of those before them.
        migrations.RunSQL(
            (SQL / "what_is_a_try.sql").read_text(), migrations.RunSQL.noop
        ),
    ]
