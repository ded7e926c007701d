"""Members are found by their last name, too: an index more on their table."""

from __future__ import annotations

import django.contrib.postgres.indexes
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0036_ended_broadcasts"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                models.F("organization"),
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper(
                        models.Func(
                            "name",
                            function="split_part",
                            output_field=models.CharField(),
                            template="%(function)s(%(expressions)s, ' ', -1)",
                        )
                    ),
                    "text_pattern_ops",
                ),
                name="contact_last_word_begins",
            ),
        ),
        # Until PostgreSQL knows how last words are spread, it reads every member.
        migrations.RunSQL("ANALYZE messaging_contact", migrations.RunSQL.noop),
    ]
