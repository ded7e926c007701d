"""Less work for every attempt: its message is not looked up again.

Quick on tables of any size.
"""

from __future__ import annotations

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0042_parts_of_each_attempt"),
    ]

    operations = [
        migrations.AlterField(
            model_name="attempt",
            name="message",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="attempts",
                to="messaging.message",
            ),
        ),
        migrations.RunSQL(
            (SQL / "attempts_belong_to_a_message.sql").read_text(),
            "DROP FUNCTION messaging_attempt_keeps_message CASCADE;",
        ),
    ]
