from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0019_lists_by_probes"),
    ]

    operations = [
        migrations.AddField(
            model_name="bulkresend",
            name="forecast",
            field=models.JSONField(
                blank=True,
                db_default=models.Value({}, models.JSONField()),
                default=dict,
                help_text="What it was likely to bring, as told when it was confirmed.",
            ),
        ),
    ]
