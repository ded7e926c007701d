"""All that was done to one thing, found by the page that shows it."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0030_device_health"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(
                condition=models.Q(("link", ""), _negated=True),
                fields=["organization", "link", "-at", "-id"],
                name="audit_entry_by_link",
            ),
        ),
    ]
