from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0013_recount")]

    operations = [
        migrations.AlterField(
            model_name="attempt",
            name="chain_offset",
            field=models.SmallIntegerField(
                db_default=0,
                default=0,
                help_text="Tries of earlier runs of the chain, less those given back; with its number, its place.",
            ),
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
            model_name="message",
            name="given_back",
            field=models.PositiveSmallIntegerField(
                db_default=0,
                default=0,
                help_text="Attempts that ended before anything left; no resends.",
            ),
        ),
        # The engine's own: a line for each person that an integration wrote to, on
        # providers that want a pause between two messages to the same one. No
        # model, no foreign key and no log of its changes: losing it costs seconds.
        migrations.RunSQL(
            """
            CREATE UNLOGGED TABLE messaging_pairpace (
                integration_id bigint NOT NULL,
                recipient text NOT NULL,
                free_at timestamptz NOT NULL,
                PRIMARY KEY (integration_id, recipient)
            ) WITH (fillfactor = 70)
            """,
            "DROP TABLE messaging_pairpace",
        ),
    ]
