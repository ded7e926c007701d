"""Sending again for many at once."""

from __future__ import annotations

import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

TABLES = [
    migrations.CreateModel(
        name="BulkResend",
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
                "created_by_name",
                models.CharField(blank=True, default="", max_length=150),
            ),
            (
                "created_at",
                models.DateTimeField(
                    db_default=django.db.models.functions.datetime.Now()
                ),
            ),
            (
                "scheduled_for",
                models.DateTimeField(
                    blank=True, help_text="Starts then; empty means at once.", null=True
                ),
            ),
            ("finished_at", models.DateTimeField(blank=True, null=True)),
            ("total", models.PositiveIntegerField(default=0)),
            ("queued_count", models.PositiveIntegerField(default=0)),
            ("refused_count", models.PositiveIntegerField(default=0)),
            ("cancelled_count", models.PositiveIntegerField(default=0)),
            (
                "accepts_duplicate",
                models.BooleanField(
                    default=False,
                    help_text="Also messages of which nobody can tell whether they arrived.",
                ),
            ),
            (
                "state",
                models.CharField(
                    choices=[
                        ("frozen", "Waiting to start"),
                        ("running", "Running"),
                        ("completed", "Finished"),
                        ("cancelled", "Cancelled"),
                    ],
                    default="frozen",
                    max_length=10,
                ),
            ),
            (
                "chosen",
                models.CharField(
                    help_text="What was selected, in the words of the list.",
                    max_length=500,
                ),
            ),
            ("reason", models.CharField(blank=True, default="", max_length=300)),
            (
                "created_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.SET_NULL,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "organization",
                models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="+",
                    to="messaging.organization",
                ),
            ),
            (
                "cause",
                models.CharField(
                    blank=True,
                    db_default="",
                    default="",
                    help_text="The catalogue's code of the failures that it was about, if one.",
                    max_length=80,
                ),
            ),
            (
                "content",
                models.ForeignKey(
                    blank=True,
                    db_index=False,
                    help_text="What goes out instead where the cause asks for another content.",
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="messaging.content",
                ),
            ),
            (
                "forecast",
                models.JSONField(
                    blank=True,
                    db_default=models.Value({}, models.JSONField()),
                    default=dict,
                    help_text="What it was likely to bring, as told when it was confirmed.",
                ),
            ),
        ],
        options={
            "indexes": [
                models.Index(fields=["organization", "-id"], name="bulk_resend_newest"),
                models.Index(
                    condition=models.Q(("finished_at__isnull", True)),
                    fields=["id"],
                    name="bulk_resend_unfinished",
                ),
                models.Index(
                    condition=models.Q(("cause", ""), _negated=True),
                    fields=["organization", "cause", "-id"],
                    name="bulk_resend_of_cause",
                ),
            ],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        ("state__in", ["frozen", "running", "completed", "cancelled"])
                    ),
                    name="bulk_resend_state_known",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        (
                            "total__gte",
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    models.F("queued_count"),
                                    "+",
                                    models.F("refused_count"),
                                ),
                                "+",
                                models.F("cancelled_count"),
                            ),
                        )
                    ),
                    name="bulk_resend_counts_fit",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("finished_at__isnull", True),
                        (
                            "total",
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    models.F("queued_count"),
                                    "+",
                                    models.F("refused_count"),
                                ),
                                "+",
                                models.F("cancelled_count"),
                            ),
                        ),
                        _connector="OR",
                    ),
                    name="bulk_resend_finished_when_settled",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("finished_at__isnull", False), ("state", "completed")
                        ),
                        ("state", "cancelled"),
                        models.Q(
                            ("finished_at__isnull", True),
                            ("state__in", ["frozen", "running"]),
                        ),
                        _connector="OR",
                    ),
                    name="bulk_resend_finished_is_final",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="BulkResendItem",
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
                "state",
                models.CharField(
                    choices=[
                        ("waiting", "Waiting"),
                        ("queued", "Queued"),
                        ("refused", "Not queued"),
                        ("cancelled", "Cancelled"),
                    ],
                    default="waiting",
                    max_length=10,
                ),
            ),
            (
                "code",
                models.CharField(blank=True, db_default="", default="", max_length=40),
            ),
            (
                "cause",
                models.CharField(blank=True, db_default="", default="", max_length=80),
            ),
            (
                "sentence",
                models.CharField(blank=True, db_default="", default="", max_length=500),
            ),
            (
                "bulk",
                models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="items",
                    to="messaging.bulkresend",
                ),
            ),
            (
                "message",
                models.ForeignKey(
                    db_constraint=False,
                    db_index=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="messaging.message",
                ),
            ),
        ],
        options={
            "indexes": [
                models.Index(fields=["bulk", "state", "id"], name="bulk_item_by_state"),
                models.Index(
                    condition=models.Q(("state__in", ["refused", "cancelled"])),
                    fields=["bulk", "id"],
                    name="bulk_item_not_queued",
                ),
                models.Index(
                    condition=models.Q(("state__in", ["refused", "cancelled"])),
                    fields=["bulk", "code", "cause", "id"],
                    name="bulk_item_by_cause",
                ),
            ],
            "constraints": [
                models.UniqueConstraint(
                    fields=("bulk", "message"), name="bulk_item_once_per_message"
                ),
                models.UniqueConstraint(
                    condition=models.Q(("state", "waiting")),
                    fields=("message",),
                    name="bulk_item_one_waiting_per_message",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("state__in", ["waiting", "queued", "refused", "cancelled"])
                    ),
                    name="bulk_item_state_known",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("code", ""),
                            ("sentence", ""),
                            ("state__in", ["waiting", "queued"]),
                        ),
                        models.Q(
                            ("state__in", ["refused", "cancelled"]),
                            models.Q(("code", ""), _negated=True),
                            models.Q(("sentence", ""), _negated=True),
                        ),
                        _connector="OR",
                    ),
                    name="bulk_item_says_why_not",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="BulkResendRefusal",
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
            ("code", models.CharField(max_length=40)),
            (
                "cause",
                models.CharField(blank=True, db_default="", default="", max_length=80),
            ),
            ("sentence", models.CharField(max_length=500)),
            ("count", models.PositiveIntegerField(default=0)),
            (
                "bulk",
                models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="refusals",
                    to="messaging.bulkresend",
                ),
            ),
        ],
        options={
            "constraints": [
                models.UniqueConstraint(
                    fields=("bulk", "code", "cause"), name="bulk_refusal_once_per_cause"
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="BulkResendOutcome",
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
            ("integration_id", models.BigIntegerField()),
            ("count", models.BigIntegerField(db_default=0, default=0)),
            ("pruned", models.BigIntegerField(db_default=0, default=0)),
            ("state", models.CharField(max_length=10)),
            (
                "cause_code",
                models.CharField(blank=True, db_default="", default="", max_length=80),
            ),
            (
                "bulk",
                models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="outcomes",
                    to="messaging.bulkresend",
                ),
            ),
        ],
        options={
            "constraints": [
                models.UniqueConstraint(
                    fields=("bulk", "integration_id", "cause_code", "state"),
                    name="bulk_outcome_key",
                )
            ],
        },
    ),
]
