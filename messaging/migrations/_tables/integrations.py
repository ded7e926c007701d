"""What messages go over, and what they say."""

from __future__ import annotations

import django.core.validators
import django.db.models.deletion
import messaging.models.contact
import messaging.models.content
import messaging.models.integration
import uuid
from django.db import migrations, models

TABLES = [
    migrations.CreateModel(
        name="Integration",
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
            ("uid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
            ("name", models.CharField(max_length=100)),
            (
                "kind",
                models.CharField(
                    choices=messaging.models.integration.kind_choices, max_length=30
                ),
            ),
            (
                "channel",
                models.CharField(
                    choices=messaging.models.contact.channel_choices,
                    editable=False,
                    max_length=10,
                ),
            ),
            ("settings", models.JSONField(blank=True, default=dict)),
            (
                "encrypted_credentials",
                models.TextField(blank=True, default="", editable=False),
            ),
            (
                "state",
                models.CharField(
                    choices=[
                        ("active", "Active"),
                        ("paused", "Paused: its queue is kept"),
                        ("off", "Switched off: its messages are skipped"),
                    ],
                    default="active",
                    max_length=10,
                ),
            ),
            ("state_reason", models.CharField(blank=True, default="", max_length=300)),
            (
                "rate_per_second",
                models.FloatField(
                    default=10,
                    validators=[django.core.validators.MinValueValidator(0.01)],
                ),
            ),
            (
                "credit_price",
                models.PositiveSmallIntegerField(
                    default=1,
                    help_text="Credits for one delivered message; 0 means free.",
                ),
            ),
            ("created_at", models.DateTimeField(auto_now_add=True)),
            (
                "organization",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="integrations",
                    to="messaging.organization",
                ),
            ),
        ],
        options={
            "ordering": ["channel", "name"],
            "constraints": [
                models.UniqueConstraint(
                    fields=("organization", "name"), name="integration_name_once"
                ),
                models.CheckConstraint(
                    condition=models.Q(("rate_per_second__gt", 0)),
                    name="integration_rate_positive",
                ),
                models.CheckConstraint(
                    condition=models.Q(("state__in", ["active", "paused", "off"])),
                    name="integration_state_known",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="IntegrationPace",
        fields=[
            (
                "integration",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.CASCADE,
                    primary_key=True,
                    related_name="pace",
                    serialize=False,
                    to="messaging.integration",
                ),
            ),
            ("paid_until", models.DateTimeField(null=True)),
            (
                "paused_until",
                models.DateTimeField(
                    help_text="The provider asked for silence until then.", null=True
                ),
            ),
            ("lease_holder", models.UUIDField(null=True)),
            ("lease_until", models.DateTimeField(null=True)),
        ],
        options={
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("lease_holder__isnull", True),
                            ("lease_until__isnull", True),
                        ),
                        models.Q(
                            ("lease_holder__isnull", False),
                            ("lease_until__isnull", False),
                        ),
                        _connector="OR",
                    ),
                    name="pace_lease_whole",
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="Content",
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
                "kind",
                models.CharField(
                    choices=messaging.models.content.kind_choices, max_length=12
                ),
            ),
            ("name", models.CharField(blank=True, default="", max_length=100)),
            ("payload", models.JSONField()),
            ("created_at", models.DateTimeField(auto_now_add=True)),
            ("archived_at", models.DateTimeField(blank=True, null=True)),
            (
                "organization",
                models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="contents",
                    to="messaging.organization",
                ),
            ),
        ],
        options={
            "indexes": [
                models.Index(
                    fields=["organization", "kind", "-id"], name="content_newest"
                )
            ],
        },
    ),
]
