"""Old holds are found by the ledger, which each look for them begins where the last ended.

Quick on tables of any size.
"""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0043_attempts_belong_to_a_message"),
    ]

    operations = [
        migrations.AddField(
            model_name="creditaccount",
            name="settled_to",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.RemoveIndex(model_name="attempt", name="attempt_unheard_of"),
    ]
