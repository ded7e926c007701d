"""What is counted, and the pulse of the engine."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

TABLES = [
    migrations.CreateModel(
        name="Tally",
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
            ("broadcast_id", models.BigIntegerField(blank=True, null=True)),
            ("day", models.DateField()),
            ("count", models.BigIntegerField(db_default=0, default=0)),
            ("pruned", models.BigIntegerField(db_default=0, default=0)),
            ("attempt_number", models.PositiveSmallIntegerField()),
            ("reached_before", models.BooleanField(default=False)),
            (
                "unit",
                models.CharField(
                    choices=[("message", "Messages"), ("attempt", "Attempts")],
                    max_length=8,
                ),
            ),
            ("channel", models.CharField(blank=True, max_length=10)),
            ("outcome", models.CharField(max_length=10)),
            ("error_class", models.CharField(blank=True, max_length=10)),
            ("error_code", models.CharField(blank=True, max_length=80)),
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
            "verbose_name_plural": "tallies",
            "indexes": [
                models.Index(
                    fields=["broadcast_id", "unit"], name="tally_of_broadcast"
                ),
                models.Index(
                    fields=["organization", "unit", "day"], name="tally_by_day"
                ),
            ],
            "constraints": [
                models.UniqueConstraint(
                    fields=(
                        "organization",
                        "broadcast_id",
                        "unit",
                        "day",
                        "channel",
                        "attempt_number",
                        "outcome",
                        "error_class",
                        "error_code",
                        "reached_before",
                    ),
                    name="tally_key",
                    nulls_distinct=False,
                ),
                models.CheckConstraint(
                    condition=models.Q(("unit__in", ["message", "attempt"])),
                    name="tally_unit_known",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Pulse",
        fields=[
            (
                "id",
                models.PositiveSmallIntegerField(
                    default=1, primary_key=True, serialize=False
                ),
            ),
            ("beaten_at", models.DateTimeField()),
        ],
        options={
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(("id", 1)), name="pulse_one_row"
                )
            ],
        },
    ),
]
