"""Programs that act for an organization, and what they were answered."""

from __future__ import annotations

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

TABLES = [
    migrations.CreateModel(
        name="ApiClient",
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
                "name",
                models.CharField(help_text="Stands on what it sends.", max_length=100),
            ),
            (
                "key",
                models.CharField(
                    editable=False,
                    max_length=64,
                    unique=True,
                    validators=[
                        django.core.validators.RegexValidator(
                            "\\A[A-Za-z0-9._-]{1,64}\\Z"
                        )
                    ],
                ),
            ),
            ("secret_hash", models.CharField(editable=False, max_length=64)),
            (
                "access",
                models.CharField(
                    choices=[
                        ("none", "None"),
                        ("read", "Read: asks for the state of messages"),
                        ("write", "Write: also sends and sends again"),
                    ],
                    default="read",
                    max_length=5,
                    verbose_name="communication access",
                ),
            ),
            (
                "requests_per_minute",
                models.PositiveIntegerField(
                    default=600,
                    help_text="Further requests are asked to come back later.",
                    validators=[django.core.validators.MinValueValidator(1)],
                ),
            ),
            ("created_at", models.DateTimeField(auto_now_add=True)),
            ("rotated_at", models.DateTimeField(blank=True, editable=False, null=True)),
            ("revoked_at", models.DateTimeField(blank=True, editable=False, null=True)),
            (
                "last_used_at",
                models.DateTimeField(
                    blank=True, editable=False, help_text="To the minute.", null=True
                ),
            ),
            (
                "application",
                models.OneToOneField(
                    editable=False,
                    help_text="What OAuth knows of this client, but for the secret.",
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="api_client",
                    to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                ),
            ),
            (
                "organization",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="api_clients",
                    to="messaging.organization",
                ),
            ),
            (
                "bearer_changed_at",
                models.DateTimeField(
                    blank=True,
                    editable=False,
                    help_text="When it was made, replaced or removed last.",
                    null=True,
                    verbose_name="bearer token changed at",
                ),
            ),
            (
                "bearer_hash",
                models.CharField(
                    blank=True, editable=False, max_length=64, null=True, unique=True
                ),
            ),
        ],
        options={
            "verbose_name": "API client",
            "ordering": ["name"],
            "constraints": [
                models.UniqueConstraint(
                    fields=("organization", "name"), name="api_client_name_once"
                ),
                models.CheckConstraint(
                    condition=models.Q(("access__in", ["none", "read", "write"])),
                    name="api_client_access_known",
                ),
                models.CheckConstraint(
                    condition=models.Q(("requests_per_minute__gt", 0)),
                    name="api_client_rate_positive",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="ApiClientPace",
        fields=[
            (
                "client",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.CASCADE,
                    primary_key=True,
                    related_name="pace",
                    serialize=False,
                    to="messaging.apiclient",
                ),
            ),
            ("paid_until", models.DateTimeField()),
        ],
    ),
    migrations.CreateModel(
        name="KeptAnswer",
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
            ("key", models.CharField(max_length=255)),
            ("request_hash", models.CharField(max_length=64)),
            (
                "created_at",
                models.DateTimeField(
                    db_default=django.db.models.functions.datetime.Now()
                ),
            ),
            ("status", models.PositiveSmallIntegerField(null=True)),
            ("body", models.TextField(db_default="", default="")),
            (
                "client",
                models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="kept_answers",
                    to="messaging.apiclient",
                ),
            ),
        ],
        options={
            "indexes": [models.Index(fields=["created_at"], name="kept_answer_by_age")],
            "constraints": [
                models.UniqueConstraint(
                    fields=("client", "key"), name="kept_answer_once_per_key"
                )
            ],
        },
    ),
]
