"""What the tables of the first step have lost and gained since."""

from __future__ import annotations


from django.db import migrations, models

ADDITIONS = [
    migrations.RemoveIndex(
        model_name="message",
        name="message_by_state",
    ),
    migrations.RemoveConstraint(
        model_name="tally",
        name="tally_key",
    ),
    migrations.AddField(
        model_name="integration",
        name="state_at",
        field=models.DateTimeField(
            blank=True,
            editable=False,
            help_text="When it was last paused or resumed by the engine or a page.",
            null=True,
        ),
    ),
    migrations.AddField(
        model_name="contact",
        name="wishes_at",
        field=models.JSONField(
            blank=True,
            db_default=models.Value({}, models.JSONField()),
            default=dict,
            editable=False,
            help_text="When the member last asked for it or against it, per channel.",
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
            blank=True, help_text="Seconds from first failure to arrival.", null=True
        ),
    ),
    migrations.AddField(
        model_name="message",
        name="given_back",
        field=models.PositiveSmallIntegerField(
            db_default=0,
            default=0,
            help_text="Attempts that ended before anything left; no resends.",
        ),
    ),
    migrations.AddField(
        model_name="message",
        name="asked_in_bulk",
        field=models.BigIntegerField(
            blank=True, help_text="The bulk resend that asked for it.", null=True
        ),
    ),
    migrations.AddField(
        model_name="attempt",
        name="chain_offset",
        field=models.SmallIntegerField(
            db_default=0,
            default=0,
            help_text="Tries of earlier runs of the chain, less those given back; with its number, its place.",
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
        model_name="attempt",
        name="bulk_id",
        field=models.BigIntegerField(
            blank=True, help_text="The bulk resend that asked for it.", null=True
        ),
    ),
    migrations.AddField(
        model_name="tally",
        name="cause_code",
        field=models.CharField(blank=True, db_default="", default="", max_length=80),
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
    migrations.AlterModelOptions(
        name="organization",
        options={
            "ordering": ["name"],
            "permissions": [
                ("communication_read", "May see communications"),
                ("communication_write", "May send, retry and cancel communications"),
                ("organization_manage", "May change settings, people and integrations"),
            ],
        },
    ),
    migrations.AlterField(
        model_name="user",
        name="role",
        field=models.CharField(
            choices=[
                ("none", "None: signs in and sees nothing"),
                ("agent", "Agent: reads"),
                ("editor", "Editor: creates, cancels and retries"),
                ("admin", "Admin: also manages"),
            ],
            default="agent",
            max_length=10,
        ),
    ),
]
