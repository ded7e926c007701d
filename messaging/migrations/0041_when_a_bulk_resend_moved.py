"""A bulk resend that stands still although the engine beats can be told from others."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0040_fewer_indexes"),
    ]

    operations = [
        migrations.AddField(
            model_name="bulkresend",
            name="moved_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When it started, or an item of it last had its outcome.",
                null=True,
            ),
        ),
    ]
