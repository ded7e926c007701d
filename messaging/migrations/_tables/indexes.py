"""Indexes and rules that the tables of the first step have gained since."""

from __future__ import annotations

import django.contrib.postgres.indexes
from django.db import migrations, models

INDEXES = [
    migrations.AddIndex(
        model_name="contact",
        index=models.Index(
            fields=["organization", "country", "-id"], name="contact_by_country"
        ),
    ),
    migrations.AddIndex(
        model_name="contact",
        index=models.Index(
            fields=["organization", "language", "-id"], name="contact_by_language"
        ),
    ),
    migrations.AddIndex(
        model_name="contact",
        index=models.Index(
            fields=["organization", "country", "language", "-id"],
            name="contact_by_origin",
        ),
    ),
    migrations.AddIndex(
        model_name="contact",
        index=django.contrib.postgres.indexes.GinIndex(
            fields=["opted_out_channels"], name="contact_opted_out_of"
        ),
    ),
    migrations.AddIndex(
        model_name="contact",
        index=models.Index(
            condition=models.Q(("opted_out_channels", []), _negated=True),
            fields=["organization", "-id"],
            name="contact_opted_out",
        ),
    ),
    migrations.AddIndex(
        model_name="message",
        index=models.Index(
            condition=models.Q(("state", "failed")),
            fields=["organization", "error_code", "state_at"],
            name="message_failed_by_cause",
        ),
    ),
    migrations.AddIndex(
        model_name="message",
        index=models.Index(
            fields=["organization", "state", "integration", "-id"],
            name="message_by_way",
        ),
    ),
    migrations.AddIndex(
        model_name="message",
        index=models.Index(
            condition=models.Q(("integration__isnull", True)),
            fields=["organization", "state", "-id"],
            name="message_without_way",
        ),
    ),
    migrations.AddIndex(
        model_name="message",
        index=models.Index(
            condition=models.Q(("state", "failed")),
            fields=["organization", "error_class", "error_code", "integration", "-id"],
            name="message_failed",
        ),
    ),
    migrations.AddIndex(
        model_name="message",
        index=models.Index(
            condition=models.Q(("broadcast_id__isnull", False), ("state", "failed")),
            fields=["broadcast_id", "error_code", "id"],
            name="message_failed_of_broadcast",
        ),
    ),
    migrations.AddIndex(
        model_name="message",
        index=models.Index(
            condition=models.Q(("attempt_count__gt", 0), ("state", "queued")),
            fields=["organization", "integration", "-id"],
            name="message_waits_to_retry",
        ),
    ),
    migrations.AddIndex(
        model_name="attempt",
        index=models.Index(
            condition=models.Q(("price__gt", 0), ("state__in", ["sent", "unknown"])),
            fields=["organization", "opened_at"],
            name="attempt_unheard_of",
        ),
    ),
    migrations.AddIndex(
        model_name="receipt",
        index=models.Index(
            condition=models.Q(("result", "unmatched")),
            fields=["integration", "address"],
            name="receipt_unmatched",
        ),
    ),
    migrations.AddIndex(
        model_name="tally",
        index=models.Index(
            condition=models.Q(
                ("outcome__in", ["planned", "queued", "sending"]), ("unit", "message")
            ),
            fields=["organization", "day"],
            name="tally_waiting",
        ),
    ),
    migrations.AddConstraint(
        model_name="tally",
        constraint=models.UniqueConstraint(
            fields=(
                "organization",
                "broadcast_id",
                "unit",
                "day",
                "first_day",
                "channel",
                "integration_id",
                "attempt_number",
                "outcome",
                "error_class",
                "error_code",
                "cause_code",
                "reached_before",
            ),
            name="tally_key",
            nulls_distinct=False,
        ),
    ),
]
