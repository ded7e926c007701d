"""What endpoints are told."""

from __future__ import annotations

import django.db.models.deletion
import django.db.models.functions.datetime
import messaging.models.webhook
from django.db import migrations, models

TABLES = [
    migrations.CreateModel(
        name="WebhookEvent",
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
                "type",
                models.CharField(
                    choices=messaging.models.webhook.type_choices, max_length=40
                ),
            ),
            ("data", models.JSONField()),
            (
                "created_at",
                models.DateTimeField(
                    db_default=django.db.models.functions.datetime.Now()
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
            (
                "organization",
                models.ForeignKey(
                    db_constraint=False,
                    db_index=False,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="+",
                    to="messaging.organization",
                ),
            ),
        ],
        options={
            "verbose_name": "webhook event",
        },
    ),
    migrations.CreateModel(
        name="WebhookDelivery",
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
            (
                "due_at",
                models.DateTimeField(
                    db_default=django.db.models.functions.datetime.Now()
                ),
            ),
            ("claimed_until", models.DateTimeField(blank=True, null=True)),
            ("finished_at", models.DateTimeField(blank=True, null=True)),
            ("claim", models.UUIDField(blank=True, editable=False, null=True)),
            (
                "priority",
                models.PositiveSmallIntegerField(
                    choices=[
                        (0, "Asked for by a person"),
                        (1, "Broadcasts and integrations"),
                        (2, "Messages in trouble"),
                        (3, "Messages on their way"),
                        (5, "Sent again with many others"),
                    ],
                    default=3,
                ),
            ),
            ("try_count", models.PositiveIntegerField(db_default=0, default=0)),
            (
                "run_tries",
                models.PositiveSmallIntegerField(
                    db_default=0,
                    default=0,
                    help_text="Tries since it was last sent again.",
                ),
            ),
            ("http_status", models.PositiveSmallIntegerField(blank=True, null=True)),
            (
                "type",
                models.CharField(
                    choices=messaging.models.webhook.type_choices, max_length=40
                ),
            ),
            (
                "state",
                models.CharField(
                    choices=[
                        ("waiting", "Waiting"),
                        ("sending", "Sending"),
                        ("delivered", "Delivered"),
                        ("failed", "Failed"),
                    ],
                    db_default="waiting",
                    default="waiting",
                    max_length=10,
                ),
            ),
            (
                "error",
                models.CharField(blank=True, db_default="", default="", max_length=20),
            ),
            (
                "asked_by_name",
                models.CharField(
                    blank=True,
                    db_default="",
                    default="",
                    help_text="Who last had it sent again.",
                    max_length=150,
                ),
            ),
            (
                "tries",
                models.JSONField(
                    blank=True,
                    db_default=models.Value([], models.JSONField()),
                    default=list,
                ),
            ),
            (
                "endpoint",
                models.ForeignKey(
                    db_constraint=False,
                    db_index=False,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="deliveries",
                    to="messaging.webhookendpoint",
                ),
            ),
            (
                "event",
                models.ForeignKey(
                    db_constraint=False,
                    db_index=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="messaging.webhookevent",
                ),
            ),
        ],
        options={
            "verbose_name": "webhook delivery",
            "verbose_name_plural": "webhook deliveries",
            "indexes": [
                models.Index(
                    fields=["endpoint", "-id"], name="webhook_delivery_newest"
                ),
                models.Index(
                    condition=models.Q(("state", "waiting")),
                    fields=["endpoint", "priority", "due_at", "id"],
                    name="webhook_delivery_due",
                ),
                models.Index(
                    condition=models.Q(("state", "sending")),
                    fields=["endpoint", "claimed_until"],
                    name="webhook_delivery_held",
                ),
                models.Index(
                    condition=models.Q(("state", "failed")),
                    fields=["endpoint", "created_at", "id"],
                    name="webhook_delivery_failed",
                ),
                models.Index(
                    condition=models.Q(
                        ("type__in", ("message.sent", "message.delivered")),
                        _negated=True,
                    ),
                    fields=["endpoint", "type", "-id"],
                    name="webhook_delivery_rare",
                ),
            ],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        ("state__in", ["waiting", "sending", "delivered", "failed"])
                    ),
                    name="webhook_delivery_state_known",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("claim__isnull", False),
                            ("claimed_until__isnull", False),
                            ("state", "sending"),
                        ),
                        models.Q(
                            models.Q(("state", "sending"), _negated=True),
                            ("claim__isnull", True),
                            ("claimed_until__isnull", True),
                        ),
                        _connector="OR",
                    ),
                    name="webhook_delivery_held_while_sending",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("finished_at__isnull", False),
                            ("state__in", ["delivered", "failed"]),
                        ),
                        models.Q(
                            ("finished_at__isnull", True),
                            ("state__in", ["waiting", "sending"]),
                        ),
                        _connector="OR",
                    ),
                    name="webhook_delivery_finished_is_final",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="WebhookRecovery",
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
            ("since", models.DateTimeField()),
            (
                "frozen_at",
                models.DateTimeField(
                    db_default=django.db.models.functions.datetime.Now()
                ),
            ),
            ("finished_at", models.DateTimeField(blank=True, null=True)),
            ("done_to", models.DateTimeField(blank=True, null=True)),
            ("done_to_id", models.BigIntegerField(default=0)),
            ("count", models.PositiveIntegerField(default=0)),
            ("asked_by_name", models.CharField(blank=True, default="", max_length=150)),
            (
                "endpoint",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="recoveries",
                    to="messaging.webhookendpoint",
                ),
            ),
        ],
        options={
            "verbose_name": "webhook recovery",
            "verbose_name_plural": "webhook recoveries",
            "indexes": [
                models.Index(
                    condition=models.Q(("finished_at__isnull", True)),
                    fields=["id"],
                    name="webhook_recovery_unfinished",
                )
            ],
        },
    ),
]
