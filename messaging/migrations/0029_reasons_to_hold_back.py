"""Two more reasons why a message is not sent: words only, the table stays as it is."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0028_copies_tell_webhooks"),
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
                    (
                        "on_its_way",
                        "Another try was on its way to the member already",
                    ),
                    ("in_doubt", "An earlier try may have reached the member"),
                ],
                db_default="",
                default="",
                help_text="Why it was skipped or cancelled.",
                max_length=20,
            ),
        ),
    ]
