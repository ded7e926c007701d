"""A retry remembers whether somebody wanted those in doubt to be sent to again."""

from __future__ import annotations

from django.db import migrations, models

# Those that are under way were confirmed with them, when they took any over.
LIVE = """
    UPDATE broadcasts_broadcast
    SET includes_unknown = true
    WHERE state IN ('scheduled', 'sending')
      AND retry_of_id IS NOT NULL
      AND EXISTS (
          SELECT FROM jsonb_array_elements(took_over) AS entry
          WHERE entry ->> 1 IN ('unknown', 'new')
      )
"""


class Migration(migrations.Migration):
    dependencies = [
        ("broadcasts", "0006_frozen_members"),
    ]

    operations = [
        migrations.AddField(
            model_name="broadcast",
            name="includes_unknown",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text=(
                    "A retry that goes to those as well of whom nobody can tell whether"
                    " an earlier try arrived."
                ),
            ),
        ),
        migrations.RunSQL(LIVE, migrations.RunSQL.noop),
    ]
