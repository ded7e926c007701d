"""What each attempt of a flow has sent itself can be told from what it took over.

Attempts made before count all of their parts as their own. That matters only to those
whose provider takes back a part that an attempt before them had sent.
"""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0041_when_a_bulk_resend_moved"),
    ]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="parts_inherited",
            field=models.PositiveSmallIntegerField(
                db_default=0,
                default=0,
                help_text="Parts that were accepted before; all: it sends all again.",
            ),
        ),
    ]
