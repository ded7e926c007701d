"""What becomes of a broadcast is told to webhooks, by PostgreSQL itself."""

from __future__ import annotations

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("broadcasts", "0004_forecast"),
        ("messaging", "0017_webhooks_out"),
    ]

    operations = [
        migrations.RunSQL(
            (SQL / "broadcasts_tell_webhooks.sql").read_text(),
            "DROP FUNCTION broadcasts_webhook_broadcast CASCADE;",
        )
    ]
