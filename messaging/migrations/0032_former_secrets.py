"""What was rotated works for a while beside its successor."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0031_audit_by_link"),
    ]

    operations = [
        migrations.AddField(
            model_name="apiclient",
            name="former_secret_hash",
            field=models.CharField(
                blank=True, db_default="", default="", editable=False, max_length=64
            ),
        ),
        migrations.AddField(
            model_name="apiclient",
            name="former_secret_until",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                null=True,
                verbose_name="former secret works until",
            ),
        ),
        migrations.AddField(
            model_name="apiclient",
            name="former_bearer_hash",
            field=models.CharField(
                blank=True, editable=False, max_length=64, null=True, unique=True
            ),
        ),
        migrations.AddField(
            model_name="apiclient",
            name="former_bearer_until",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                null=True,
                verbose_name="former bearer token works until",
            ),
        ),
    ]
