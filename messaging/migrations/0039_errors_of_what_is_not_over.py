"""Messages that had an error and may still arrive: found by it, however many wait.

The indexes are small, but making them reads the table of messages: some seconds for
five million, in which nothing is sent.
"""

from __future__ import annotations

from django.db import migrations, models

HAD_AN_ERROR = models.Q(state__in=["queued", "unknown"]) & ~models.Q(error_code="")


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0038_why_a_try_did_not_leave"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                fields=["organization", column, "state", "integration", "-id"],
                condition=HAD_AN_ERROR,
                name=name,
            ),
        )
        for column, name in (
            ("error_code", "message_not_over_by_code"),
            ("error_class", "message_not_over_by_class"),
        )
    ]
