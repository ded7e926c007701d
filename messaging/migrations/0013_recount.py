"""Rows and tallies from before the figures, brought in step with them."""

from __future__ import annotations

from pathlib import Path

from django.db import migrations

BACKFILL = (Path(__file__).parent / "sql" / "figures_backfill.sql").read_text()


class Migration(migrations.Migration):
    dependencies = [("messaging", "0012_figures")]

    operations = [
        # A big table takes longer than a page may.
        migrations.RunSQL("SET LOCAL statement_timeout = 0", migrations.RunSQL.noop),
        migrations.RunSQL(BACKFILL, migrations.RunSQL.noop),
    ]
