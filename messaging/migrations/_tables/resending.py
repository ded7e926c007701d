"""Sending again: by itself and later."""

from __future__ import annotations

import django.db.models.deletion
import django.db.models.functions.datetime
import messaging.models.contact
from django.db import migrations, models

TABLES = [
    migrations.CreateModel(
        name="AutomaticRetry",
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
            (
                "channel",
                models.CharField(
                    choices=messaging.models.contact.channel_choices, max_length=10
                ),
            ),
            ("is_on", models.BooleanField(default=False)),
            (
                "organization",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="automatic_retries",
                    to="messaging.organization",
                ),
            ),
        ],
        options={
            "verbose_name_plural": "automatic retries",
            "constraints": [
                models.UniqueConstraint(
                    fields=("organization", "channel"), name="automatic_retry_once"
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="StoppedRetry",
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
            ("error_code", models.CharField(max_length=80)),
            ("tried", models.PositiveIntegerField()),
            ("delivered", models.PositiveIntegerField()),
            ("stopped_at", models.DateTimeField(auto_now_add=True)),
            ("resumed_at", models.DateTimeField(blank=True, null=True)),
            (
                "organization",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="stopped_retries",
                    to="messaging.organization",
                ),
            ),
        ],
        options={
            "verbose_name_plural": "stopped retries",
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("resumed_at__isnull", True)),
                    fields=("organization", "error_code"),
                    name="stopped_retry_once",
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="FollowUp",
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
            (
                "created_at",
                models.DateTimeField(
                    db_default=django.db.models.functions.datetime.Now()
                ),
            ),
            ("closed_at", models.DateTimeField(blank=True, null=True)),
            (
                "state",
                models.CharField(
                    choices=[
                        ("waiting", "Waiting for an answer"),
                        ("done", "Sent again"),
                        ("refused", "Could not be sent again"),
                        ("cancelled", "Cancelled"),
                    ],
                    default="waiting",
                    max_length=10,
                ),
            ),
            ("asked_by_name", models.CharField(blank=True, default="", max_length=150)),
            (
                "sentence",
                models.CharField(
                    blank=True,
                    default="",
                    help_text="Why it was refused.",
                    max_length=300,
                ),
            ),
            (
                "contact",
                models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.CASCADE,
                    to="messaging.contact",
                ),
            ),
            (
                "message",
                models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="follow_ups",
                    to="messaging.message",
                ),
            ),
            (
                "opener",
                models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="+",
                    to="messaging.message",
                ),
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
            "indexes": [
                models.Index(fields=["message"], name="follow_up_of_message"),
                models.Index(fields=["opener"], name="follow_up_of_opener"),
                models.Index(
                    condition=models.Q(("state", "waiting")),
                    fields=["contact"],
                    name="follow_up_waiting",
                ),
            ],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("state", "waiting")),
                    fields=("message",),
                    name="follow_up_one_waiting",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("closed_at__isnull", True), ("state", "waiting")),
                        models.Q(
                            models.Q(("state", "waiting"), _negated=True),
                            ("closed_at__isnull", False),
                        ),
                        _connector="OR",
                    ),
                    name="follow_up_closed_when_final",
                ),
            ],
        },
    ),
]
