"""What the figures of resending need: chains, causes, integrations, recoveries."""

from __future__ import annotations

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

SQL = Path(__file__).parent / "sql"


def body(name: str) -> str:
    return (SQL / f"{name}.sql").read_text()


def back_to(name: str, function: str) -> str:
    """Return the definition that this one took the place of."""
    text = body(name)
    start = text.index(f"CREATE FUNCTION {function}()")
    end = text.index("END $$;", start) + len("END $$;")
    return text[start:end].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


class Migration(migrations.Migration):
    dependencies = [("messaging", "0011_bulk_resend_of_a_cause")]

    operations = [
        migrations.CreateModel(
            name="Recovery",
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
                ("broadcast_id", models.BigIntegerField(blank=True, null=True)),
                ("integration_id", models.BigIntegerField(blank=True, null=True)),
                ("day", models.DateField()),
                ("count", models.BigIntegerField(db_default=0, default=0)),
                ("pruned", models.BigIntegerField(db_default=0, default=0)),
                ("credits", models.BigIntegerField(db_default=0, default=0)),
                ("pruned_credits", models.BigIntegerField(db_default=0, default=0)),
                ("resend_number", models.PositiveSmallIntegerField()),
                ("bucket", models.PositiveSmallIntegerField()),
                ("channel", models.CharField(blank=True, max_length=10)),
            ],
            options={
                "verbose_name_plural": "recoveries",
            },
        ),
        migrations.RemoveConstraint(
            model_name="tally",
            name="tally_key",
        ),
        migrations.AddField(
            model_name="attempt",
            name="chain_offset",
            field=models.SmallIntegerField(
                db_default=0,
                default=0,
                help_text="Tries of earlier runs of the chain; with its number, its place.",
            ),
        ),
        migrations.AddField(
            model_name="attempt",
            name="first_failed_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When the person was first not reached, if that was before it.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="earlier_error",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="On rows of a retry: why the person was not reached before.",
                max_length=80,
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="earlier_tries",
            field=models.PositiveSmallIntegerField(
                db_default=0,
                default=0,
                help_text="Attempts of earlier runs of the chain, when this row was made.",
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="first_day",
            field=models.DateField(
                blank=True,
                help_text="On rows of a retry: the day of the first run of the chain.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="first_failed_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When this person was first not reached; a retry inherits it.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="recovered_by",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="The resend along the chain that arrived after a failure.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="recovered_for",
            field=models.PositiveSmallIntegerField(
                blank=True, help_text="Credits for the try that arrived.", null=True
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="recovered_in",
            field=models.FloatField(
                blank=True,
                help_text="Seconds from first failure to arrival.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="tally",
            name="cause_code",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=80
            ),
        ),
        migrations.AddField(
            model_name="tally",
            name="first_day",
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="tally",
            name="integration_id",
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="tally",
            constraint=models.UniqueConstraint(
                fields=(
                    "organization",
                    "broadcast_id",
                    "unit",
                    "day",
                    "first_day",
                    "channel",
                    "integration_id",
                    "attempt_number",
                    "outcome",
                    "error_class",
                    "error_code",
                    "cause_code",
                    "reached_before",
                ),
                name="tally_key",
                nulls_distinct=False,
            ),
        ),
        migrations.AddField(
            model_name="recovery",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                to="messaging.organization",
            ),
        ),
        migrations.AddIndex(
            model_name="recovery",
            index=models.Index(fields=["organization", "day"], name="recovery_by_day"),
        ),
        migrations.AddIndex(
            model_name="recovery",
            index=models.Index(fields=["broadcast_id"], name="recovery_of_broadcast"),
        ),
        migrations.AddConstraint(
            model_name="recovery",
            constraint=models.UniqueConstraint(
                fields=(
                    "organization",
                    "broadcast_id",
                    "day",
                    "channel",
                    "integration_id",
                    "resend_number",
                    "bucket",
                ),
                name="recovery_key",
                nulls_distinct=False,
            ),
        ),
        migrations.RunSQL(
            body("figures_tally_attempts"),
            back_to("tally_counts_attempts", "messaging_tally_attempts"),
        ),
        migrations.RunSQL(
            body("figures_tally_messages"),
            back_to("tally_counts_messages", "messaging_tally_messages"),
        ),
        migrations.RunSQL(
            body("figures_recoveries"),
            "DROP FUNCTION messaging_note_first_failure CASCADE;"
            "DROP FUNCTION messaging_count_recoveries CASCADE;"
            "DROP FUNCTION messaging_recovery_bucket;",
        ),
    ]
