"""A message that is in doubt still says why its last try did not leave."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0037_members_by_last_name"),
    ]

    operations = [
        migrations.AlterField(
            model_name="message",
            name="reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("no_channel", "The member has no address on any channel"),
                    ("no_route", "No route of this broadcast reaches the member"),
                    ("opted_out", "The member opted out"),
                    (
                        "window_closed",
                        "The member's last WhatsApp message is older than 24 hours and there is no fallback",
                    ),
                    ("flow_unpublished", "The flow is not published"),
                    ("expired", "It was not worth sending any more"),
                    ("integration_off", "The integration is switched off"),
                    ("credentials", "The integration's credentials are incomplete"),
                    ("content", "The channel cannot carry this content"),
                    ("cancelled", "A person cancelled it"),
                    ("already_reached", "An earlier try reached the member after all"),
                    ("on_its_way", "Another try was on its way to the member already"),
                    ("in_doubt", "An earlier try may have reached the member"),
                    ("insufficient_credits", "There were not enough credits"),
                    (
                        "missed_time",
                        "It was due while the system was down for too long",
                    ),
                ],
                db_default="",
                default="",
                help_text="Why it was skipped or cancelled, or its last try did not leave.",
                max_length=20,
            ),
        ),
    ]
