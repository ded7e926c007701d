"""Endpoints of webhooks, and how they are."""

from __future__ import annotations

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

TABLES = [
    migrations.CreateModel(
        name="WebhookCourier",
        fields=[
            (
                "seat",
                models.PositiveSmallIntegerField(primary_key=True, serialize=False),
            ),
            ("holder", models.UUIDField()),
            ("lease_until", models.DateTimeField()),
        ],
        options={
            "verbose_name": "webhook courier",
        },
    ),
    migrations.CreateModel(
        name="WebhookEndpoint",
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
            ("name", models.CharField(help_text="What it is for.", max_length=100)),
            ("url", models.URLField(max_length=500, verbose_name="address")),
            (
                "events",
                django.contrib.postgres.fields.ArrayField(
                    base_field=models.CharField(max_length=40), size=12
                ),
            ),
            (
                "state",
                models.CharField(
                    choices=[("on", "On"), ("off", "Off")], default="on", max_length=3
                ),
            ),
            (
                "off_reason",
                models.CharField(
                    blank=True,
                    choices=[
                        ("person", "Switched off by a person"),
                        ("failing", "Switched off after five days of failure"),
                        ("gone", "Switched off because it answered “410 Gone”"),
                    ],
                    default="",
                    max_length=10,
                ),
            ),
            ("off_at", models.DateTimeField(blank=True, null=True)),
            (
                "created_at",
                models.DateTimeField(
                    db_default=django.db.models.functions.datetime.Now()
                ),
            ),
            (
                "created_by_name",
                models.CharField(blank=True, default="", max_length=150),
            ),
            ("removed_at", models.DateTimeField(blank=True, null=True)),
            (
                "organization",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="webhook_endpoints",
                    to="messaging.organization",
                ),
            ),
        ],
        options={
            "verbose_name": "webhook endpoint",
            "ordering": ["name", "pk"],
            "indexes": [
                models.Index(
                    condition=models.Q(("state", "on")),
                    fields=["organization"],
                    name="webhook_endpoint_on",
                )
            ],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("removed_at__isnull", True)),
                    fields=("organization", "name"),
                    name="webhook_endpoint_name_once",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("off_at__isnull", True),
                            ("off_reason", ""),
                            ("state", "on"),
                        ),
                        models.Q(
                            ("off_at__isnull", False),
                            ("state", "off"),
                            models.Q(("off_reason", ""), _negated=True),
                        ),
                        _connector="OR",
                    ),
                    name="webhook_endpoint_off_has_reason",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("removed_at__isnull", True), ("state", "off"), _connector="OR"
                    ),
                    name="webhook_endpoint_removed_is_off",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="WebhookHealth",
        fields=[
            (
                "endpoint",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.CASCADE,
                    primary_key=True,
                    related_name="health",
                    serialize=False,
                    to="messaging.webhookendpoint",
                ),
            ),
            ("delivered_at", models.DateTimeField(blank=True, null=True)),
            ("failed_at", models.DateTimeField(blank=True, null=True)),
            (
                "failing_since",
                models.DateTimeField(
                    blank=True, help_text="Nothing was delivered since.", null=True
                ),
            ),
            ("last_status", models.PositiveSmallIntegerField(blank=True, null=True)),
            (
                "last_error",
                models.CharField(blank=True, db_default="", default="", max_length=20),
            ),
            (
                "paused_until",
                models.DateTimeField(
                    blank=True,
                    help_text="It asked to be left alone until then.",
                    null=True,
                ),
            ),
        ],
        options={
            "verbose_name": "webhook health",
            "verbose_name_plural": "webhook health",
        },
    ),
    migrations.CreateModel(
        name="WebhookSecret",
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
            ("encrypted", models.TextField(editable=False)),
            (
                "created_at",
                models.DateTimeField(
                    db_default=django.db.models.functions.datetime.Now()
                ),
            ),
            (
                "expires_at",
                models.DateTimeField(
                    blank=True, help_text="Signs no more from then on.", null=True
                ),
            ),
            (
                "endpoint",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="secrets",
                    to="messaging.webhookendpoint",
                ),
            ),
        ],
        options={
            "ordering": ["-pk"],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("expires_at__isnull", True)),
                    fields=("endpoint",),
                    name="webhook_secret_one_lasts",
                )
            ],
        },
    ),
]
