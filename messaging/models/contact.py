"""A member: a person we send to, with at most one address per channel."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Upper

from messaging.channels.contract import Channel
from messaging.models.organization import Organization


def channel_choices() -> list[tuple[str, str]]:
    """Return the channels with the names that people read."""
    return [(channel.value, CHANNEL_NAMES[channel]) for channel in Channel]


CHANNEL_NAMES = {
    Channel.WHATSAPP: "WhatsApp",
    Channel.TELEGRAM: "Telegram",
    Channel.SMS: "SMS",
    Channel.EMAIL: "E-mail",
}


SEARCHED_COLUMNS = ("name", "external_id", "email")
"""Found by how they begin, in any case of letters; each has an index for it."""

LAST_WORD = models.Func(
    "name",
    function="split_part",
    template="%(function)s(%(expressions)s, ' ', -1)",
    output_field=models.CharField(),
)
"""The last word of a name: by it, too, people are asked for."""


class Contact(models.Model):
    """One member. ``external_id`` is the key in the organization's own systems."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, db_index=False, related_name="contacts"
    )
    external_id = models.CharField(max_length=100)
    name = models.CharField(max_length=200, blank=True, default="")
    phone = models.CharField(
        max_length=16,
        blank=True,
        default="",
        help_text="E.164 with a plus; serves WhatsApp and SMS.",
    )
    email = models.EmailField(blank=True, default="")
    telegram_chat_id = models.CharField(max_length=32, blank=True, default="")
    country = models.CharField(
        max_length=2, blank=True, default="", help_text="ISO 3166, for example GH."
    )
    language = models.CharField(
        max_length=10, blank=True, default="", help_text="For example en or pt-BR."
    )
    tags: ArrayField[list[str], list[str]] = ArrayField(
        models.CharField(max_length=50), default=list, blank=True
    )
    opted_out_channels: ArrayField[list[str], list[str]] = ArrayField(
        models.CharField(max_length=10, choices=channel_choices),
        default=list,
        blank=True,
        help_text="Channels on which this person asked not to be written to.",
    )
    wishes_at = models.JSONField(
        default=dict,
        db_default=Value({}, models.JSONField()),
        blank=True,
        editable=False,
        help_text="When the member last asked for it or against it, per channel.",
    )
    whatsapp_inbound_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When the member last wrote; opens WhatsApp's 24-hour window.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "member"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "external_id"], name="contact_external_id_once"
            ),
            models.CheckConstraint(
                condition=Q(phone="") | Q(phone__regex=r"^\+[1-9][0-9]{6,14}$"),
                name="contact_phone_is_e164",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-id"], name="contact_newest"),
            models.Index(fields=["organization", "phone"], name="contact_by_phone"),
            models.Index(fields=["organization", "email"], name="contact_by_email"),
            models.Index(
                fields=["organization", "telegram_chat_id"],
                condition=~Q(telegram_chat_id=""),
                name="contact_by_telegram",
            ),
            models.Index(fields=["organization", "name"], name="contact_by_name"),
            GinIndex(fields=["tags"], name="contact_by_tag"),
            models.Index(
                fields=["organization", "country", "-id"], name="contact_by_country"
            ),
            models.Index(
                fields=["organization", "language", "-id"], name="contact_by_language"
            ),
            models.Index(
                fields=["organization", "country", "language", "-id"],
                name="contact_by_origin",
            ),
            GinIndex(fields=["opted_out_channels"], name="contact_opted_out_of"),
            models.Index(
                fields=["organization", "-id"],
                condition=~Q(opted_out_channels=[]),
                name="contact_opted_out",
            ),
            *(
                models.Index(
                    "organization",
                    OpClass(Upper(column), "text_pattern_ops"),
                    name=f"contact_{column}_begins",
                )
                for column in SEARCHED_COLUMNS
            ),
            models.Index(
                "organization",
                OpClass(Upper(LAST_WORD), "text_pattern_ops"),
                name="contact_last_word_begins",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.external_id

    def address(self, channel: str) -> str:
        """Return where this member is reached on the channel, or an empty string."""
        match channel:
            case Channel.WHATSAPP | Channel.SMS:
                return self.phone
            case Channel.EMAIL:
                return self.email
            case Channel.TELEGRAM:
                return self.telegram_chat_id
        return ""
