"""Whom messages go to."""

from __future__ import annotations

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
import messaging.models.contact
from django.db import migrations, models

TABLES = [
    migrations.CreateModel(
        name="Contact",
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
            ("external_id", models.CharField(max_length=100)),
            ("name", models.CharField(blank=True, default="", max_length=200)),
            (
                "phone",
                models.CharField(
                    blank=True,
                    default="",
                    help_text="E.164 with a plus; serves WhatsApp and SMS.",
                    max_length=16,
                ),
            ),
            ("email", models.EmailField(blank=True, default="", max_length=254)),
            (
                "telegram_chat_id",
                models.CharField(blank=True, default="", max_length=32),
            ),
            (
                "country",
                models.CharField(
                    blank=True,
                    default="",
                    help_text="ISO 3166, for example GH.",
                    max_length=2,
                ),
            ),
            (
                "language",
                models.CharField(
                    blank=True,
                    default="",
                    help_text="For example en or pt-BR.",
                    max_length=10,
                ),
            ),
            (
                "tags",
                django.contrib.postgres.fields.ArrayField(
                    base_field=models.CharField(max_length=50),
                    blank=True,
                    default=list,
                    size=None,
                ),
            ),
            (
                "opted_out_channels",
                django.contrib.postgres.fields.ArrayField(
                    base_field=models.CharField(
                        choices=messaging.models.contact.channel_choices, max_length=10
                    ),
                    blank=True,
                    default=list,
                    help_text="Channels on which this person asked not to be written to.",
                    size=None,
                ),
            ),
            (
                "whatsapp_inbound_at",
                models.DateTimeField(
                    blank=True,
                    help_text="When the member last wrote; opens WhatsApp's 24-hour window.",
                    null=True,
                ),
            ),
            ("created_at", models.DateTimeField(auto_now_add=True)),
            ("updated_at", models.DateTimeField(auto_now=True)),
            (
                "organization",
                models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="contacts",
                    to="messaging.organization",
                ),
            ),
        ],
        options={
            "verbose_name": "member",
            "indexes": [
                models.Index(fields=["organization", "-id"], name="contact_newest"),
                models.Index(fields=["organization", "phone"], name="contact_by_phone"),
                models.Index(fields=["organization", "email"], name="contact_by_email"),
                models.Index(
                    condition=models.Q(("telegram_chat_id", ""), _negated=True),
                    fields=["organization", "telegram_chat_id"],
                    name="contact_by_telegram",
                ),
                models.Index(fields=["organization", "name"], name="contact_by_name"),
                django.contrib.postgres.indexes.GinIndex(
                    fields=["tags"], name="contact_by_tag"
                ),
                models.Index(
                    models.F("organization"),
                    django.contrib.postgres.indexes.OpClass(
                        django.db.models.functions.text.Upper("name"),
                        "text_pattern_ops",
                    ),
                    name="contact_name_begins",
                ),
                models.Index(
                    models.F("organization"),
                    django.contrib.postgres.indexes.OpClass(
                        django.db.models.functions.text.Upper("external_id"),
                        "text_pattern_ops",
                    ),
                    name="contact_external_id_begins",
                ),
                models.Index(
                    models.F("organization"),
                    django.contrib.postgres.indexes.OpClass(
                        django.db.models.functions.text.Upper("email"),
                        "text_pattern_ops",
                    ),
                    name="contact_email_begins",
                ),
            ],
            "constraints": [
                models.UniqueConstraint(
                    fields=("organization", "external_id"),
                    name="contact_external_id_once",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("phone", ""),
                        ("phone__regex", "^\\+[1-9][0-9]{6,14}$"),
                        _connector="OR",
                    ),
                    name="contact_phone_is_e164",
                ),
            ],
        },
    ),
]
