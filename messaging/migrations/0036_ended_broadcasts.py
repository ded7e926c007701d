"""Broadcasts that a person ended. A new table, so quick on any database; which ones
they are is known to broadcasts, whose own migration fills it."""

from __future__ import annotations

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0035_names")]

    operations = [
        migrations.CreateModel(
            name="EndedBroadcast",
            fields=[
                (
                    "broadcast_id",
                    models.BigIntegerField(primary_key=True, serialize=False),
                ),
                (
                    "ended_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now()
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="messaging.organization",
                    ),
                ),
            ],
        ),
    ]
