"""Fewer index entries for every message that leaves.

Open attempts are found by the index that allows only one for each message, holds by
their attempts, and the messages of a day by their numbers, between milestones. The new
indexes read the ledger and the messages once: some seconds for five million, in which
nothing is sent.
"""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import lookups


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0039_errors_of_what_is_not_over"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="creditentry",
            index=models.Index(
                condition=models.Q(("step__in", ["charge", "release"])),
                fields=["message_id"],
                name="credit_settled_of_message",
            ),
        ),
        migrations.RemoveIndex(model_name="creditentry", name="credit_of_message"),
        migrations.RemoveIndex(model_name="attempt", name="attempt_open"),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(
                    lookups.Exact(
                        models.expressions.CombinedExpression(
                            models.F("id"), "%%", models.Value(61)
                        ),
                        0,
                    )
                ),
                fields=["organization", "created_at"],
                name="message_milestone",
            ),
        ),
        migrations.RemoveIndex(model_name="message", name="message_by_age"),
    ]
