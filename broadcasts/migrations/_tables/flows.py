"""Flows and their steps."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

TABLES = [
    migrations.CreateModel(
        name="Flow",
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
            ("name", models.CharField(max_length=100)),
            ("is_published", models.BooleanField(default=False)),
            ("created_at", models.DateTimeField(auto_now_add=True)),
            (
                "organization",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="flows",
                    to="messaging.organization",
                ),
            ),
            (
                "published_content",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="messaging.content",
                ),
            ),
        ],
        options={
            "ordering": ["name"],
            "constraints": [
                models.UniqueConstraint(
                    fields=("organization", "name"), name="flow_name_once"
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("is_published", False),
                        ("published_content__isnull", False),
                        _connector="OR",
                    ),
                    name="flow_published_has_content",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="FlowStep",
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
            ("position", models.PositiveSmallIntegerField()),
            (
                "content",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="messaging.content",
                ),
            ),
            (
                "flow",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="steps",
                    to="broadcasts.flow",
                ),
            ),
        ],
        options={
            "ordering": ["flow", "position"],
            "constraints": [
                models.UniqueConstraint(
                    fields=("flow", "position"), name="flow_step_position_once"
                )
            ],
        },
    ),
]
