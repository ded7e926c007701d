import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0010_wishes_have_a_time"),
    ]

    operations = [
        # A big table takes longer than a page may.
        migrations.RunSQL("SET LOCAL statement_timeout = 0", migrations.RunSQL.noop),
        migrations.AddField(
            model_name="bulkresend",
            name="cause",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="The catalogue's code of the failures that it was about,"
                " if one.",
                max_length=80,
            ),
        ),
        migrations.AddField(
            model_name="bulkresend",
            name="content",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="What goes out instead where the cause asks for another"
                " content.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="messaging.content",
            ),
        ),
        migrations.AddIndex(
            model_name="bulkresend",
            index=models.Index(
                condition=models.Q(("cause", ""), _negated=True),
                fields=["organization", "cause", "-id"],
                name="bulk_resend_of_cause",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("state", "failed")),
                fields=["organization", "error_code", "state_at"],
                name="message_failed_by_cause",
            ),
        ),
    ]
