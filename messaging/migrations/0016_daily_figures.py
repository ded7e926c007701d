"""Figures by the day, and what bulk resends brought."""

from __future__ import annotations

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0015_counted_deliveries"),
    ]

    operations = [
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
                    models.CharField(
                        blank=True, db_default="", default="", max_length=80
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DailyFigure",
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
                ("integration_id", models.BigIntegerField(blank=True, null=True)),
                ("day", models.DateField()),
                ("count", models.BigIntegerField(db_default=0, default=0)),
                ("credits", models.BigIntegerField(db_default=0, default=0)),
                ("number", models.PositiveSmallIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("try", "Tries"),
                            ("failure", "Failures by cause"),
                            ("answer", "Tries that answer a cause"),
                            ("standing", "Where messages stand"),
                            ("recovered", "Recoveries"),
                        ],
                        max_length=10,
                    ),
                ),
                ("channel", models.CharField(blank=True, max_length=10)),
                ("outcome", models.CharField(blank=True, max_length=20)),
                ("code", models.CharField(blank=True, max_length=80)),
            ],
        ),
        migrations.AddField(
            model_name="attempt",
            name="bulk_id",
            field=models.BigIntegerField(
                blank=True, help_text="The bulk resend that asked for it.", null=True
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="asked_in_bulk",
            field=models.BigIntegerField(
                blank=True, help_text="The bulk resend that asked for it.", null=True
            ),
        ),
        migrations.AddIndex(
            model_name="tally",
            index=models.Index(
                condition=models.Q(
                    ("outcome__in", ["planned", "queued", "sending"]),
                    ("unit", "message"),
                ),
                fields=["organization", "day"],
                name="tally_waiting",
            ),
        ),
        migrations.AddField(
            model_name="bulkresendoutcome",
            name="bulk",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="outcomes",
                to="messaging.bulkresend",
            ),
        ),
        migrations.AddField(
            model_name="dailyfigure",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                to="messaging.organization",
            ),
        ),
        migrations.AddConstraint(
            model_name="bulkresendoutcome",
            constraint=models.UniqueConstraint(
                fields=("bulk", "integration_id", "cause_code", "state"),
                name="bulk_outcome_key",
            ),
        ),
        migrations.AddConstraint(
            model_name="dailyfigure",
            constraint=models.UniqueConstraint(
                fields=(
                    "organization",
                    "kind",
                    "day",
                    "channel",
                    "integration_id",
                    "number",
                    "outcome",
                    "code",
                ),
                name="daily_figure_key",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="dailyfigure",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind__in", ["try", "failure", "answer", "standing", "recovered"])
                ),
                name="daily_figure_kind_known",
            ),
        ),
        migrations.RunSQL("SET LOCAL statement_timeout = 0", migrations.RunSQL.noop),
        migrations.RunSQL(
            (SQL / "daily_figures.sql").read_text(),
            "DROP FUNCTION messaging_count_by_day CASCADE;"
            "DROP FUNCTION messaging_count_recoveries_by_day CASCADE;"
            "DROP FUNCTION messaging_figures_of CASCADE;",
        ),
        migrations.RunSQL(
            (SQL / "bulk_outcomes.sql").read_text(),
            "DROP FUNCTION messaging_count_bulk_outcomes CASCADE;",
        ),
    ]
