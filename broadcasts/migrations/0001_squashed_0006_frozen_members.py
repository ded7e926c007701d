"""All tables and triggers of an empty database, in one step.

A database that stands at one of the migrations below goes on with those.
"""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import migrations

from broadcasts.migrations._tables import broadcasts, flows
from messaging.migrations._together import Together

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("broadcasts", "0001_initial"),
        ("broadcasts", "0002_message_broadcast_exists"),
        ("broadcasts", "0003_broadcast_progress"),
        ("broadcasts", "0004_forecast"),
        ("broadcasts", "0005_broadcasts_tell_webhooks"),
        ("broadcasts", "0006_frozen_members"),
    ]

    dependencies = [
        ("messaging", "0017_webhooks_out"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        Together([*flows.TABLES, *broadcasts.TABLES]),
        # A message's broadcast exists: messaging itself does not know broadcasts.
        migrations.RunSQL(
            "ALTER TABLE messaging_message ADD CONSTRAINT message_broadcast_exists"
            " FOREIGN KEY (broadcast_id) REFERENCES broadcasts_broadcast (id)"
            " DEFERRABLE INITIALLY DEFERRED",
            "ALTER TABLE messaging_message DROP CONSTRAINT message_broadcast_exists",
        ),
        # What becomes of a broadcast is told to webhooks, by PostgreSQL itself.
        migrations.RunSQL(
            (SQL / "broadcasts_tell_webhooks.sql").read_text(),
            "DROP FUNCTION broadcasts_webhook_broadcast CASCADE;",
        ),
    ]
