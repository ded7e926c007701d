from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("broadcasts", "0003_broadcast_progress"),
    ]

    operations = [
        migrations.AddField(
            model_name="broadcast",
            name="forecast",
            field=models.JSONField(
                blank=True,
                db_default=models.Value({}, models.JSONField()),
                default=dict,
                help_text="What a retry was likely to bring, as told when it was confirmed.",
            ),
        ),
    ]
