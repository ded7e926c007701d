"""Words for two tables, as Django admin shows them. Nothing changes in the database."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0034_tally_counts_tries"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="apiclientpace",
            options={
                "verbose_name": "pace of an API client",
                "verbose_name_plural": "paces of API clients",
            },
        ),
        migrations.AlterModelOptions(
            name="counteddelivery",
            options={"verbose_name_plural": "counted deliveries"},
        ),
    ]
