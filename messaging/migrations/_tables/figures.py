"""What is counted for figures, and kept longer than what it counts."""

from __future__ import annotations

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

TABLES = [
    migrations.CreateModel(
        name="Recovery",
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
            ("integration_id", models.BigIntegerField(blank=True, null=True)),
            ("day", models.DateField()),
            ("count", models.BigIntegerField(db_default=0, default=0)),
            ("pruned", models.BigIntegerField(db_default=0, default=0)),
            ("credits", models.BigIntegerField(db_default=0, default=0)),
            ("pruned_credits", models.BigIntegerField(db_default=0, default=0)),
            ("resend_number", models.PositiveSmallIntegerField()),
            ("bucket", models.PositiveSmallIntegerField()),
            ("channel", models.CharField(blank=True, max_length=10)),
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
            "verbose_name_plural": "recoveries",
            "indexes": [
                models.Index(fields=["organization", "day"], name="recovery_by_day"),
                models.Index(fields=["broadcast_id"], name="recovery_of_broadcast"),
            ],
            "constraints": [
                models.UniqueConstraint(
                    fields=(
                        "organization",
                        "broadcast_id",
                        "day",
                        "channel",
                        "integration_id",
                        "resend_number",
                        "bucket",
                    ),
                    name="recovery_key",
                    nulls_distinct=False,
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="CountedDelivery",
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
            ("message_id", models.BigIntegerField()),
            ("attempt_id", models.BigIntegerField(unique=True)),
            (
                "created_at",
                models.DateTimeField(
                    db_default=django.db.models.functions.datetime.Now()
                ),
            ),
            ("person_name", models.CharField(max_length=150)),
            ("reason", models.CharField(blank=True, default="", max_length=300)),
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
            "indexes": [
                models.Index(fields=["message_id"], name="counted_of_message"),
                models.Index(fields=["organization", "-id"], name="counted_newest"),
            ],
        },
    ),
    migrations.CreateModel(
        name="DailyFigure",
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
            ("integration_id", models.BigIntegerField(blank=True, null=True)),
            ("day", models.DateField()),
            ("count", models.BigIntegerField(db_default=0, default=0)),
            ("credits", models.BigIntegerField(db_default=0, default=0)),
            ("number", models.PositiveSmallIntegerField()),
            (
                "kind",
                models.CharField(
                    choices=[
                        ("try", "Tries"),
                        ("failure", "Failures by cause"),
                        ("answer", "Tries that answer a cause"),
                        ("standing", "Where messages stand"),
                        ("recovered", "Recoveries"),
                    ],
                    max_length=10,
                ),
            ),
            ("channel", models.CharField(blank=True, max_length=10)),
            ("outcome", models.CharField(blank=True, max_length=20)),
            ("code", models.CharField(blank=True, max_length=80)),
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
                    fields=(
                        "organization",
                        "kind",
                        "day",
                        "channel",
                        "integration_id",
                        "number",
                        "outcome",
                        "code",
                    ),
                    name="daily_figure_key",
                    nulls_distinct=False,
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        (
                            "kind__in",
                            ["try", "failure", "answer", "standing", "recovered"],
                        )
                    ),
                    name="daily_figure_kind_known",
                ),
            ],
        },
    ),
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
]
