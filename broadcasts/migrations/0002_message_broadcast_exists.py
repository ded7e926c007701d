"""A message's broadcast exists: messaging itself does not know broadcasts."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("broadcasts", "0001_initial"),
        ("messaging", "0002_triggers"),
    ]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE messaging_message ADD CONSTRAINT message_broadcast_exists"
            " FOREIGN KEY (broadcast_id) REFERENCES broadcasts_broadcast (id)"
            " DEFERRABLE INITIALLY DEFERRED",
            "ALTER TABLE messaging_message DROP CONSTRAINT message_broadcast_exists",
        )
    ]
