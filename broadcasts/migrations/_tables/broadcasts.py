"""Broadcasts, their routes and whom a retry is for."""

from __future__ import annotations

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

TABLES = [
    migrations.CreateModel(
        name="Broadcast",
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
            ("name", models.CharField(max_length=200)),
            (
                "kind",
                models.CharField(
                    choices=[("flow", "Flow"), ("template", "Template")], max_length=10
                ),
            ),
            (
                "state",
                models.CharField(
                    choices=[
                        ("draft", "Draft"),
                        ("scheduled", "Scheduled"),
                        ("sending", "Sending"),
                        ("completed", "Finished"),
                        ("cancelled", "Cancelled"),
                        ("failed", "Could not run"),
                    ],
                    default="draft",
                    max_length=10,
                ),
            ),
            ("audience", models.JSONField(blank=True, default=dict)),
            ("run_at", models.DateTimeField(blank=True, null=True)),
            ("time_zone", models.CharField(default="UTC", max_length=64)),
            (
                "expires_at",
                models.DateTimeField(
                    blank=True,
                    help_text="Not worth sending after this moment.",
                    null=True,
                ),
            ),
            ("created_at", models.DateTimeField(auto_now_add=True)),
            ("started_at", models.DateTimeField(blank=True, null=True)),
            ("finished_at", models.DateTimeField(blank=True, null=True)),
            ("filled_to", models.BigIntegerField(default=0)),
            ("is_filled", models.BooleanField(default=False)),
            ("state_reason", models.CharField(blank=True, default="", max_length=300)),
            (
                "content",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="messaging.content",
                ),
            ),
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
                    related_name="broadcasts",
                    to="messaging.organization",
                ),
            ),
            (
                "retry_of",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="retries",
                    to="broadcasts.broadcast",
                ),
            ),
            (
                "root",
                models.ForeignKey(
                    blank=True,
                    help_text="The first broadcast of the chain; empty on that one itself.",
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="chain",
                    to="broadcasts.broadcast",
                ),
            ),
            (
                "flow",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="broadcasts",
                    to="broadcasts.flow",
                ),
            ),
            (
                "filled_at",
                models.DateTimeField(
                    blank=True,
                    help_text="When rows were last made or started.",
                    null=True,
                ),
            ),
            (
                "is_settling",
                models.BooleanField(
                    default=False,
                    help_text="It has ended, and rows are still to be taken back.",
                ),
            ),
            (
                "routes_changed",
                models.BooleanField(
                    default=False,
                    help_text="Its routes are newer than its rows, so a retry chooses again.",
                ),
            ),
            ("took_over", models.JSONField(blank=True, default=list)),
            (
                "forecast",
                models.JSONField(
                    blank=True,
                    db_default=models.Value({}, models.JSONField()),
                    default=dict,
                    help_text="What a retry was likely to bring, as told when it was confirmed.",
                ),
            ),
        ],
        options={
            "indexes": [
                models.Index(fields=["organization", "-id"], name="broadcast_newest"),
                models.Index(
                    condition=models.Q(("state", "scheduled")),
                    fields=["run_at"],
                    name="broadcast_due",
                ),
                models.Index(
                    condition=models.Q(("state", "sending")),
                    fields=["id"],
                    name="broadcast_sending",
                ),
                models.Index(
                    condition=models.Q(("state__in", ["draft", "scheduled"])),
                    fields=["organization"],
                    name="broadcast_of_quota",
                ),
                models.Index(
                    condition=models.Q(("is_settling", True)),
                    fields=["id"],
                    name="broadcast_settling",
                ),
            ],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        (
                            "state__in",
                            [
                                "draft",
                                "scheduled",
                                "sending",
                                "completed",
                                "cancelled",
                                "failed",
                            ],
                        )
                    ),
                    name="broadcast_state_known",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("finished_at__isnull", False),
                            ("state__in", ["completed", "cancelled", "failed"]),
                        ),
                        models.Q(
                            models.Q(
                                ("state__in", ["completed", "cancelled", "failed"]),
                                _negated=True,
                            ),
                            ("finished_at__isnull", True),
                        ),
                        _connector="OR",
                    ),
                    name="broadcast_finished_when_final",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("state", "draft"), ("run_at__isnull", False), _connector="OR"
                    ),
                    name="broadcast_scheduled_has_time",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("flow__isnull", True), ("kind", "template")),
                        models.Q(("flow__isnull", False), ("kind", "flow")),
                        _connector="OR",
                    ),
                    name="broadcast_flow_or_template",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("retry_of__isnull", True), ("root__isnull", True)),
                        models.Q(
                            ("retry_of__isnull", False),
                            ("root__isnull", False),
                            models.Q(("retry_of", models.F("id")), _negated=True),
                        ),
                        _connector="OR",
                    ),
                    name="broadcast_retry_has_root",
                ),
                models.UniqueConstraint(
                    condition=models.Q(("state__in", ["scheduled", "sending"])),
                    fields=("retry_of",),
                    name="broadcast_one_live_retry",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Route",
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
                "role",
                models.CharField(
                    choices=[("route", "Route"), ("fallback", "Fallback")],
                    max_length=10,
                ),
            ),
            ("position", models.PositiveSmallIntegerField()),
            (
                "broadcast",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="routes",
                    to="broadcasts.broadcast",
                ),
            ),
            (
                "content",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="messaging.content",
                ),
            ),
            (
                "integration",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="messaging.integration",
                ),
            ),
        ],
        options={
            "ordering": ["broadcast", "role", "position"],
            "constraints": [
                models.UniqueConstraint(
                    fields=("broadcast", "role", "position"), name="route_position_once"
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("role", "route"), ("content__isnull", False), _connector="OR"
                    ),
                    name="route_fallback_has_template",
                ),
                models.CheckConstraint(
                    condition=models.Q(("role__in", ["route", "fallback"])),
                    name="route_role_known",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="FrozenMembers",
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
            ("size", models.PositiveIntegerField()),
            (
                "message_ids",
                django.contrib.postgres.fields.ArrayField(
                    base_field=models.BigIntegerField(), size=None
                ),
            ),
            (
                "broadcast",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="frozen_members",
                    to="broadcasts.broadcast",
                ),
            ),
        ],
        options={
            "verbose_name_plural": "frozen members",
        },
    ),
]
