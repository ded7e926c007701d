"""What is sent. A row never changes, so "the original is preserved" is a fact."""

from __future__ import annotations

from django.db import models

from messaging.channels.contract import ContentKind
from messaging.models.organization import Organization


def kind_choices() -> list[tuple[str, str]]:
    return [(kind.value, kind.value.capitalize()) for kind in ContentKind]


class Content(models.Model):
    """An immutable payload; a trigger in the database refuses every change.

    ``name`` labels what people pick from a list (templates, mostly).
    ``archived_at`` takes it off that list and is the only column that may change.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, db_index=False, related_name="contents"
    )
    kind = models.CharField(max_length=12, choices=kind_choices)
    name = models.CharField(max_length=100, blank=True, default="")
    payload = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["organization", "kind", "-id"], name="content_newest")
        ]

    def __str__(self) -> str:
        return self.name or f"{self.get_kind_display()} {self.pk}"
