"""Webhooks hear of copies: of messages that are sent again although they were sent."""

from __future__ import annotations

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("messaging", "0027_what_is_a_try")]

    operations = [
        migrations.RunSQL(
            (SQL / "copies_tell_webhooks.sql").read_text(),
            "DROP FUNCTION messaging_webhook_copy CASCADE;",
        ),
    ]
