"""How the phones behind device gateways are. A new table, so quick on any database."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0029_reasons_to_hold_back")]

    operations = [
        migrations.CreateModel(
            name="DeviceHealth",
            fields=[
                (
                    "integration",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="device",
                        serialize=False,
                        to="messaging.integration",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("connected", "Connected"),
                            ("disconnected", "Not connected"),
                            ("logged_out", "Not linked"),
                            ("no_device", "Unknown to the gateway"),
                            ("refused", "Token refused"),
                            ("silent", "Gateway does not answer"),
                            ("unclear", "Not known"),
                        ],
                        max_length=12,
                    ),
                ),
                ("since", models.DateTimeField()),
                ("known_at", models.DateTimeField()),
                ("checked_at", models.DateTimeField(blank=True, null=True)),
                ("phone", models.CharField(blank=True, default="", max_length=20)),
                ("detail", models.CharField(blank=True, default="", max_length=300)),
            ],
            options={
                "verbose_name_plural": "device health",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "connected",
                                    "disconnected",
                                    "logged_out",
                                    "no_device",
                                    "refused",
                                    "silent",
                                    "unclear",
                                ],
                            )
                        ),
                        name="device_state_known",
                    )
                ],
            },
        ),
    ]
