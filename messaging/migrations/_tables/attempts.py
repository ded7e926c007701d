"""What was tried, and what providers said later."""

from __future__ import annotations

import django.db.models.deletion
import django.db.models.functions.datetime
import messaging.models.contact
from django.db import migrations, models

TABLES = [
    migrations.CreateModel(
        name="Attempt",
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
            (
                "opened_at",
                models.DateTimeField(
                    db_default=django.db.models.functions.datetime.Now()
                ),
            ),
            ("closed_at", models.DateTimeField(blank=True, null=True)),
            ("delivered_at", models.DateTimeField(blank=True, null=True)),
            ("day", models.DateField()),
            ("duration_ms", models.PositiveIntegerField(blank=True, null=True)),
            ("number", models.PositiveSmallIntegerField()),
            (
                "price",
                models.PositiveSmallIntegerField(help_text="Credits held for it."),
            ),
            ("parts", models.PositiveSmallIntegerField(db_default=1, default=1)),
            ("parts_sent", models.PositiveSmallIntegerField(db_default=0, default=0)),
            (
                "pauses",
                models.PositiveSmallIntegerField(
                    db_default=0,
                    default=0,
                    help_text="How often the provider asked to wait within this attempt.",
                ),
            ),
            ("http_status", models.PositiveSmallIntegerField(blank=True, null=True)),
            (
                "state",
                models.CharField(
                    choices=[
                        ("open", "Sending"),
                        ("unknown", "Unknown"),
                        ("sent", "Sent"),
                        ("failed", "Failed"),
                        ("delivered", "Delivered"),
                        ("read", "Read"),
                    ],
                    max_length=10,
                ),
            ),
            (
                "channel",
                models.CharField(
                    choices=messaging.models.contact.channel_choices, max_length=10
                ),
            ),
            (
                "actor",
                models.CharField(
                    choices=[
                        ("broadcast", "Broadcast"),
                        ("person", "Person"),
                        ("api", "API client"),
                        ("automatic", "Automatic retry"),
                    ],
                    max_length=10,
                ),
            ),
            ("actor_name", models.CharField(blank=True, default="", max_length=150)),
            ("reason", models.CharField(blank=True, default="", max_length=300)),
            (
                "provider_id",
                models.CharField(blank=True, db_default="", default="", max_length=128),
            ),
            (
                "error_code",
                models.CharField(blank=True, db_default="", default="", max_length=80),
            ),
            (
                "error_class",
                models.CharField(blank=True, db_default="", default="", max_length=10),
            ),
            (
                "error_detail",
                models.CharField(blank=True, db_default="", default="", max_length=500),
            ),
            ("answer", models.TextField(blank=True, db_default="", default="")),
            (
                "content",
                models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.PROTECT,
                    to="messaging.content",
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
            (
                "integration",
                models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.PROTECT,
                    to="messaging.integration",
                ),
            ),
            (
                "message",
                models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="attempts",
                    to="messaging.message",
                ),
            ),
            (
                "cause_code",
                models.CharField(
                    blank=True,
                    db_default="",
                    default="",
                    help_text="The error of the attempt before, which this one answers.",
                    max_length=80,
                ),
            ),
            (
                "suffix",
                models.CharField(
                    db_default=models.Func(
                        function="gen_random_uuid",
                        output_field=models.CharField(),
                        template="right(%(function)s()::text, 9)",
                    ),
                    editable=False,
                    max_length=9,
                ),
            ),
        ],
        options={
            "ordering": ["message", "number"],
            "indexes": [
                models.Index(
                    condition=models.Q(("state", "open")),
                    fields=["opened_at"],
                    name="attempt_open",
                ),
                models.Index(
                    condition=models.Q(("provider_id", ""), _negated=True),
                    fields=["integration", "provider_id"],
                    name="attempt_by_provider_id",
                ),
                models.Index(
                    condition=models.Q(("actor", "automatic")),
                    fields=["organization", "cause_code", "-id"],
                    name="attempt_automatic",
                ),
            ],
            "constraints": [
                models.UniqueConstraint(
                    fields=("message", "number"), name="attempt_number_once"
                ),
                models.UniqueConstraint(
                    condition=models.Q(("state", "open")),
                    fields=("message",),
                    name="attempt_one_open_per_message",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        (
                            "state__in",
                            ["open", "unknown", "sent", "failed", "delivered", "read"],
                        )
                    ),
                    name="attempt_state_known",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("closed_at__isnull", True), ("state", "open")),
                        models.Q(
                            models.Q(("state", "open"), _negated=True),
                            ("closed_at__isnull", False),
                        ),
                        _connector="OR",
                    ),
                    name="attempt_closed_when_final",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("state", "failed"), _negated=True),
                        models.Q(
                            models.Q(("error_code", ""), _negated=True),
                            models.Q(("error_class", ""), _negated=True),
                        ),
                        _connector="OR",
                    ),
                    name="attempt_failed_has_error",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Receipt",
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
            (
                "received_at",
                models.DateTimeField(
                    db_default=django.db.models.functions.datetime.Now()
                ),
            ),
            ("occurred_at", models.DateTimeField(blank=True, null=True)),
            ("applied_at", models.DateTimeField(blank=True, null=True)),
            ("key", models.CharField(max_length=200)),
            ("kind", models.CharField(max_length=10)),
            ("state", models.CharField(blank=True, default="", max_length=10)),
            ("reference", models.CharField(blank=True, default="", max_length=40)),
            ("provider_id", models.CharField(blank=True, default="", max_length=128)),
            ("address", models.CharField(blank=True, default="", max_length=254)),
            ("error_code", models.CharField(blank=True, default="", max_length=80)),
            ("error_detail", models.CharField(blank=True, default="", max_length=500)),
            (
                "result",
                models.CharField(
                    blank=True,
                    choices=[
                        ("applied", "Changed an attempt or a member"),
                        ("ignored", "Said nothing new"),
                        ("unmatched", "Belongs to no attempt of this integration"),
                        ("not_understood", "In words that are not known here"),
                    ],
                    default="",
                    max_length=15,
                ),
            ),
            ("raw", models.JSONField()),
            (
                "integration",
                models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.CASCADE,
                    to="messaging.integration",
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
                models.Index(
                    condition=models.Q(("applied_at__isnull", True)),
                    fields=["id"],
                    name="receipt_waiting",
                ),
                models.Index(
                    condition=models.Q(("attempt_id__isnull", False)),
                    fields=["attempt_id"],
                    name="receipt_of_attempt",
                ),
                models.Index(fields=["organization", "-id"], name="receipt_newest"),
                models.Index(fields=["received_at"], name="receipt_by_age"),
            ],
            "constraints": [
                models.UniqueConstraint(
                    fields=("integration", "key"), name="receipt_once_per_integration"
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("applied_at__isnull", True), ("result", "")),
                        models.Q(
                            ("applied_at__isnull", False),
                            models.Q(("result", ""), _negated=True),
                        ),
                        _connector="OR",
                    ),
                    name="receipt_applied_has_result",
                ),
            ],
        },
    ),
]
