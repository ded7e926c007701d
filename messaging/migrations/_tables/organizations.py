"""The organization and its people."""

from __future__ import annotations

import django.contrib.auth.models
import django.contrib.auth.validators
import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import messaging.models.organization
from django.db import migrations, models

TABLES = [
    migrations.CreateModel(
        name="Organization",
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
                "time_zone",
                models.CharField(
                    default="UTC",
                    help_text="IANA name, for example Africa/Accra. Days of reports follow it.",
                    max_length=64,
                    validators=[messaging.models.organization.validate_time_zone],
                ),
            ),
            (
                "broadcast_quota",
                models.PositiveIntegerField(
                    default=25,
                    help_text="Drafts and scheduled broadcasts that may exist at the same time.",
                    validators=[django.core.validators.MinValueValidator(1)],
                ),
            ),
            (
                "retention_days",
                models.PositiveIntegerField(
                    default=30,
                    help_text="Days that messages and attempts are kept. Counters never expire.",
                    validators=[django.core.validators.MinValueValidator(1)],
                ),
            ),
            ("created_at", models.DateTimeField(auto_now_add=True)),
            (
                "resend_ladder_minutes",
                django.contrib.postgres.fields.ArrayField(
                    base_field=models.PositiveIntegerField(
                        validators=[django.core.validators.MinValueValidator(1)]
                    ),
                    default=messaging.models.organization.resend_ladder,
                    help_text="Minutes before automatic retry 1, 2, …; the last one repeats.",
                    size=10,
                ),
            ),
            (
                "resend_limit",
                models.PositiveSmallIntegerField(
                    default=5, help_text="How often one message may be sent again."
                ),
            ),
            (
                "resend_max_age_hours",
                models.PositiveIntegerField(
                    default=48,
                    help_text="Hours after which a message is not sent again any more.",
                    validators=[django.core.validators.MinValueValidator(1)],
                ),
            ),
        ],
        options={
            "ordering": ["name"],
        },
    ),
    migrations.CreateModel(
        name="User",
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
            ("password", models.CharField(max_length=128, verbose_name="password")),
            (
                "last_login",
                models.DateTimeField(blank=True, null=True, verbose_name="last login"),
            ),
            (
                "is_superuser",
                models.BooleanField(
                    default=False,
                    help_text="Designates that this user has all permissions without explicitly assigning them.",
                    verbose_name="superuser status",
                ),
            ),
            (
                "username",
                models.CharField(
                    error_messages={
                        "unique": "A user with that username already exists."
                    },
                    help_text="Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.",
                    max_length=150,
                    unique=True,
                    validators=[
                        django.contrib.auth.validators.UnicodeUsernameValidator()
                    ],
                    verbose_name="username",
                ),
            ),
            (
                "first_name",
                models.CharField(blank=True, max_length=150, verbose_name="first name"),
            ),
            (
                "last_name",
                models.CharField(blank=True, max_length=150, verbose_name="last name"),
            ),
            (
                "email",
                models.EmailField(
                    blank=True, max_length=254, verbose_name="email address"
                ),
            ),
            (
                "is_staff",
                models.BooleanField(
                    default=False,
                    help_text="Designates whether the user can log into this admin site.",
                    verbose_name="staff status",
                ),
            ),
            (
                "is_active",
                models.BooleanField(
                    default=True,
                    help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.",
                    verbose_name="active",
                ),
            ),
            (
                "date_joined",
                models.DateTimeField(
                    default=django.utils.timezone.now, verbose_name="date joined"
                ),
            ),
            (
                "role",
                models.CharField(
                    choices=[
                        ("agent", "Agent: reads"),
                        ("editor", "Editor: creates, cancels and retries"),
                        ("admin", "Admin: also manages"),
                    ],
                    default="agent",
                    max_length=10,
                ),
            ),
            (
                "time_zone",
                models.CharField(
                    blank=True,
                    default="",
                    help_text="Empty: the zone of the browser.",
                    max_length=64,
                    validators=[messaging.models.organization.validate_time_zone],
                ),
            ),
            (
                "groups",
                models.ManyToManyField(
                    blank=True,
                    help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                    related_name="user_set",
                    related_query_name="user",
                    to="auth.group",
                    verbose_name="groups",
                ),
            ),
            (
                "user_permissions",
                models.ManyToManyField(
                    blank=True,
                    help_text="Specific permissions for this user.",
                    related_name="user_set",
                    related_query_name="user",
                    to="auth.permission",
                    verbose_name="user permissions",
                ),
            ),
            (
                "organization",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="people",
                    to="messaging.organization",
                ),
            ),
        ],
        options={
            "verbose_name": "user",
            "verbose_name_plural": "users",
            "abstract": False,
        },
        managers=[
            ("objects", django.contrib.auth.models.UserManager()),
        ],
    ),
]
