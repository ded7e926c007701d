"""The account and the lines that move it."""

from __future__ import annotations

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

TABLES = [
    migrations.CreateModel(
        name="CreditAccount",
        fields=[
            (
                "organization",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.CASCADE,
                    primary_key=True,
                    related_name="credit_account",
                    serialize=False,
                    to="messaging.organization",
                ),
            ),
            ("available", models.BigIntegerField(default=0)),
            ("held", models.BigIntegerField(default=0)),
            ("owed", models.BigIntegerField(default=0)),
        ],
        options={
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        ("available__gte", 0), ("held__gte", 0), ("owed__gte", 0)
                    ),
                    name="credit_never_below_zero",
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="CreditEntry",
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
            ("attempt_id", models.BigIntegerField(blank=True, null=True)),
            ("message_id", models.BigIntegerField(blank=True, null=True)),
            (
                "created_at",
                models.DateTimeField(
                    db_default=django.db.models.functions.datetime.Now()
                ),
            ),
            (
                "step",
                models.CharField(
                    choices=[
                        ("top_up", "Top-up"),
                        ("hold", "Hold"),
                        ("charge", "Charge"),
                        ("release", "Release"),
                    ],
                    max_length=8,
                ),
            ),
            ("amount", models.PositiveIntegerField()),
            ("available_change", models.BigIntegerField()),
            ("held_change", models.BigIntegerField()),
            ("owed_change", models.BigIntegerField(db_default=0, default=0)),
            (
                "note",
                models.CharField(blank=True, db_default="", default="", max_length=200),
            ),
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
            "verbose_name_plural": "credit entries",
            "indexes": [
                models.Index(fields=["organization", "-id"], name="credit_newest"),
                models.Index(
                    condition=models.Q(("message_id__isnull", False)),
                    fields=["message_id"],
                    name="credit_of_message",
                ),
            ],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("attempt_id__isnull", False)),
                    fields=("attempt_id", "step"),
                    name="credit_step_once_per_attempt",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("attempt_id__isnull", True), ("step", "top_up")),
                        models.Q(
                            models.Q(("step", "top_up"), _negated=True),
                            ("attempt_id__isnull", False),
                        ),
                        _connector="OR",
                    ),
                    name="credit_step_of_an_attempt",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("step__in", ["top_up", "hold", "charge", "release"])
                    ),
                    name="credit_step_known",
                ),
            ],
        },
    ),
]
