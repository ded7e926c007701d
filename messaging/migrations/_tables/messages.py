"""A message to one person, whatever becomes of it."""

from __future__ import annotations

import django.db.models.deletion
import django.db.models.functions.datetime
import messaging.models.contact
from django.db import migrations, models

TABLES = [
    migrations.CreateModel(
        name="Message",
        fields=[
            (
                "id",
                models.BigAutoField(
                    auto_created=True,
                    primary_key=True,
                    serialize=False,
                    verbose_name="ID",
                ),
            ),
            ("broadcast_id", models.BigIntegerField(blank=True, null=True)),
            (
                "created_at",
                models.DateTimeField(
                    db_default=django.db.models.functions.datetime.Now()
                ),
            ),
            (
                "state_at",
                models.DateTimeField(
                    db_default=django.db.models.functions.datetime.Now(),
                    help_text="When the state last changed.",
                ),
            ),
            ("due_at", models.DateTimeField(blank=True, null=True)),
            ("expires_at", models.DateTimeField(blank=True, null=True)),
            ("sent_at", models.DateTimeField(blank=True, null=True)),
            ("delivered_at", models.DateTimeField(blank=True, null=True)),
            ("read_at", models.DateTimeField(blank=True, null=True)),
            ("day", models.DateField(help_text="The day its tallies count under.")),
            (
                "attempt_count",
                models.PositiveSmallIntegerField(db_default=0, default=0),
            ),
            (
                "parts_sent",
                models.PositiveSmallIntegerField(
                    db_default=0,
                    default=0,
                    help_text="Parts of a flow that a provider accepted; a retry goes on there.",
                ),
            ),
            (
                "priority",
                models.PositiveSmallIntegerField(
                    choices=[(0, "Single"), (5, "Bulk")], db_default=5, default=5
                ),
            ),
            ("used_fallback", models.BooleanField(db_default=False, default=False)),
            (
                "reached_before",
                models.BooleanField(
                    db_default=False,
                    default=False,
                    help_text="Another run of the chain had reached this person already.",
                ),
            ),
            (
                "state",
                models.CharField(
                    choices=[
                        ("planned", "Scheduled"),
                        ("queued", "Queued"),
                        ("sending", "Sending"),
                        ("sent", "Sent"),
                        ("delivered", "Delivered"),
                        ("read", "Read"),
                        ("failed", "Failed"),
                        ("unknown", "Unknown"),
                        ("skipped", "Skipped"),
                        ("cancelled", "Cancelled"),
                    ],
                    max_length=10,
                ),
            ),
            (
                "channel",
                models.CharField(
                    blank=True,
                    choices=messaging.models.contact.channel_choices,
                    db_default="",
                    default="",
                    max_length=10,
                ),
            ),
            (
                "recipient",
                models.CharField(blank=True, db_default="", default="", max_length=254),
            ),
            (
                "reason",
                models.CharField(
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
                        (
                            "already_reached",
                            "An earlier try reached the member after all",
                        ),
                    ],
                    db_default="",
                    default="",
                    help_text="Why it was skipped or cancelled.",
                    max_length=20,
                ),
            ),
            (
                "error_code",
                models.CharField(blank=True, db_default="", default="", max_length=80),
            ),
            (
                "error_class",
                models.CharField(blank=True, db_default="", default="", max_length=10),
            ),
            (
                "suffix",
                models.CharField(
                    db_default=models.Func(
                        function="gen_random_uuid",
                        output_field=models.CharField(),
                        template="right(%(function)s()::text, 9)",
                    ),
                    editable=False,
                    max_length=9,
                ),
            ),
            (
                "parameters",
                models.JSONField(
                    db_default=models.Value({}, models.JSONField()),
                    default=dict,
                    help_text="Values of the placeholders, as they were when it was planned.",
                ),
            ),
            (
                "contact",
                models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="messages",
                    to="messaging.contact",
                ),
            ),
            (
                "content",
                models.ForeignKey(
                    blank=True,
                    db_index=False,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="messages",
                    to="messaging.content",
                ),
            ),
            (
                "integration",
                models.ForeignKey(
                    blank=True,
                    db_index=False,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="messages",
                    to="messaging.integration",
                ),
            ),
            (
                "organization",
                models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="messages",
                    to="messaging.organization",
                ),
            ),
            (
                "root",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    db_index=False,
                    null=True,
                    on_delete=django.db.models.deletion.SET_NULL,
                    related_name="retries",
                    to="messaging.message",
                ),
            ),
            (
                "asked_by",
                models.CharField(
                    choices=[
                        ("broadcast", "Broadcast"),
                        ("person", "Person"),
                        ("api", "API client"),
                        ("automatic", "Automatic retry"),
                    ],
                    db_default="broadcast",
                    default="broadcast",
                    help_text="Who asked for the next attempt; copied onto it when it opens.",
                    max_length=10,
                ),
            ),
            (
                "asked_by_name",
                models.CharField(blank=True, db_default="", default="", max_length=150),
            ),
            (
                "asked_reason",
                models.CharField(blank=True, db_default="", default="", max_length=300),
            ),
            (
                "amended_content",
                models.ForeignKey(
                    blank=True,
                    db_index=False,
                    help_text="What later attempts send instead, such as a working media link.",
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="messaging.content",
                ),
            ),
        ],
        options={
            "indexes": [
                models.Index(
                    condition=models.Q(("state", "queued")),
                    fields=["integration", "priority", "due_at", "id"],
                    name="message_due",
                ),
                models.Index(fields=["organization", "-id"], name="message_newest"),
                models.Index(
                    fields=["organization", "state", "-id"], name="message_by_state"
                ),
                models.Index(
                    condition=models.Q(("broadcast_id__isnull", False)),
                    fields=["broadcast_id", "state", "id"],
                    name="message_of_broadcast",
                ),
                models.Index(fields=["contact", "-id"], name="message_of_contact"),
                models.Index(
                    condition=models.Q(("root__isnull", False)),
                    fields=["root"],
                    name="message_of_chain",
                ),
                models.Index(
                    fields=["organization", "created_at"], name="message_by_age"
                ),
            ],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("broadcast_id__isnull", False)),
                    fields=("broadcast_id", "contact"),
                    name="message_once_per_broadcast",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        (
                            "state__in",
                            [
                                "planned",
                                "queued",
                                "sending",
                                "sent",
                                "delivered",
                                "read",
                                "failed",
                                "unknown",
                                "skipped",
                                "cancelled",
                            ],
                        )
                    ),
                    name="message_state_known",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("state__in", ["queued", "sending"]), _negated=True),
                        models.Q(
                            ("content__isnull", False),
                            ("integration__isnull", False),
                            models.Q(("recipient", ""), _negated=True),
                            models.Q(("channel", ""), _negated=True),
                        ),
                        _connector="OR",
                    ),
                    name="message_sendable_when_queued",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("due_at__isnull", False), ("state", "queued")),
                        models.Q(("state", "queued"), _negated=True),
                        _connector="OR",
                    ),
                    name="message_queued_is_due",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("state", "failed"), _negated=True),
                        models.Q(
                            models.Q(("error_code", ""), _negated=True),
                            models.Q(("error_class", ""), _negated=True),
                        ),
                        _connector="OR",
                    ),
                    name="message_failed_has_error",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("state__in", ["skipped", "cancelled"]), _negated=True
                        ),
                        models.Q(("reason", ""), _negated=True),
                        _connector="OR",
                    ),
                    name="message_skipped_has_reason",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("delivered_at__isnull", False),
                            ("state__in", ["delivered", "read"]),
                        ),
                        models.Q(
                            models.Q(
                                ("state__in", ["delivered", "read"]), _negated=True
                            ),
                            ("delivered_at__isnull", True),
                        ),
                        _connector="OR",
                    ),
                    name="message_delivered_is_final",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("state__in", ["sending", "sent", "unknown"]), _negated=True
                        ),
                        ("attempt_count__gt", 0),
                        _connector="OR",
                    ),
                    name="message_left_by_an_attempt",
                ),
            ],
        },
    ),
]
