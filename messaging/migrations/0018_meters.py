"""Counters for metrics, written by triggers."""

from __future__ import annotations

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

BODY = (Path(__file__).parent / "sql" / "meters.sql").read_text()
UNDO = """
DROP TRIGGER messaging_message_meters_new ON messaging_message;
DROP TRIGGER messaging_message_meters_change ON messaging_message;
DROP TRIGGER messaging_message_meters_gone ON messaging_message;
DROP TRIGGER messaging_attempt_meters_change ON messaging_attempt;
DROP FUNCTION messaging_meter_messages();
DROP FUNCTION messaging_meter_attempts();
DROP FUNCTION messaging_is_outcome(text);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0017_webhooks_out"),
    ]

    operations = [
        migrations.CreateModel(
            name="Meter",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("came", models.BigIntegerField(db_default=0, default=0)),
                ("gone", models.BigIntegerField(db_default=0, default=0)),
                ("milliseconds", models.BigIntegerField(db_default=0, default=0)),
                (
                    "series",
                    models.CharField(
                        choices=[
                            ("message", "Messages by outcome"),
                            ("seconds", "Attempts by duration"),
                        ],
                        max_length=8,
                    ),
                ),
                ("channel", models.CharField(blank=True, max_length=10)),
                ("label", models.CharField(max_length=10)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="messaging.organization",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "series", "channel", "label"),
                        name="meter_key",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("series__in", ["message", "seconds"])),
                        name="meter_series_known",
                    ),
                ],
            },
        ),
        # Reading all tallies takes longer than a page may.
        migrations.RunSQL("SET LOCAL statement_timeout = 0", migrations.RunSQL.noop),
        migrations.RunSQL(BODY, UNDO),
    ]
