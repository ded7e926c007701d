"""A flow: an ordered list of contents that one person gets one after another."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from messaging.models import Content, Organization


class Flow(models.Model):
    """Its steps may be edited at any time; what is sent is the published content.

    Publishing freezes the steps into one immutable content of kind ``flow``.
    A flow that is not published is not sent: its members are skipped.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="flows"
    )
    name = models.CharField(max_length=100)
    published_content = models.ForeignKey(
        Content, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    is_published = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "name"], name="flow_name_once"
            ),
            models.CheckConstraint(
                condition=Q(is_published=False) | Q(published_content__isnull=False),
                name="flow_published_has_content",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class FlowStep(models.Model):
    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    content = models.ForeignKey(Content, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["flow", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["flow", "position"], name="flow_step_position_once"
            )
        ]

    def __str__(self) -> str:
        return f"Step {self.position} of {self.flow}"
