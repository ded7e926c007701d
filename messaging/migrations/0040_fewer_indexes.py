"""Fewer index entries for every message that leaves.

Open attempts are found by the index that allows only one for each message, holds by
their attempts, and the messages of a day by their numbers. The new index reads the
ledger once; nothing is sent meanwhile.
"""

from __future__ import annotations

from django.db import migrations, models


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
        migrations.RemoveIndex(model_name="message", name="message_by_age"),
    ]
