"""One decision to send to many: name, what, who, when."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Value

from broadcasts.models.flow import Flow
from messaging.models import Content, Organization


class BroadcastKind(models.TextChoices):
    FLOW = "flow", "Flow"
    TEMPLATE = "template", "Template"


class BroadcastState(models.TextChoices):
    DRAFT = "draft", "Draft"
    SCHEDULED = "scheduled", "Scheduled"
    SENDING = "sending", "Sending"
    COMPLETED = "completed", "Finished"
    CANCELLED = "cancelled", "Cancelled"
    FAILED = "failed", "Could not run"


QUOTA_STATES = (BroadcastState.DRAFT, BroadcastState.SCHEDULED)
LIVE_STATES = (BroadcastState.SCHEDULED, BroadcastState.SENDING)


class Broadcast(models.Model):
    """Its rows are messages; its counters are tallies.

    ``audience`` is a filter that is resolved when the broadcast starts:
    ``{"tags": [...], "countries": [...], "languages": [...]}``, empty for
    everyone. A retry has no filter: its rows are frozen when it is confirmed; it has
    ``{"listed": number}`` where somebody named its members one by one.
    ``content`` is what a flow broadcast sends, frozen when it starts; a retry
    takes it over from its source. ``filled_to`` is the last member for whom a
    row was made, so that a start that is killed goes on where it stood. The rows
    of a retry are there before it starts: ``filled_to`` is the last of them that
    got its way out. ``took_over`` says where the members of a retry stood when it was
    confirmed, as ``[broadcast id, state, cause, number]`` each; see ``chain``.
    """

    organization = models.ForeignKey(
        Organization,
        on_delete=models.CASCADE,
        db_index=False,
        related_name="broadcasts",
    )
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=BroadcastKind.choices)
    state = models.CharField(
        max_length=10, choices=BroadcastState.choices, default=BroadcastState.DRAFT
    )
    flow = models.ForeignKey(
        Flow, on_delete=models.PROTECT, null=True, blank=True, related_name="broadcasts"
    )
    content = models.ForeignKey(
        Content, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    audience = models.JSONField(default=dict, blank=True)
    retry_of = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="retries"
    )
    root = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="chain",
        help_text="The first broadcast of the chain; empty on that one itself.",
    )
    run_at = models.DateTimeField(null=True, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text="Not worth sending after this moment."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    filled_to = models.BigIntegerField(default=0)
    is_filled = models.BooleanField(default=False)
    filled_at = models.DateTimeField(
        null=True, blank=True, help_text="When rows were last made or started."
    )
    took_over = models.JSONField(default=list, blank=True)
    forecast = models.JSONField(
        default=dict,
        blank=True,
        db_default=Value({}, models.JSONField()),
        help_text="What a retry was likely to bring, as told when it was confirmed.",
    )
    includes_unknown = models.BooleanField(
        default=False,
        db_default=False,
        help_text="A retry that goes to those as well of whom nobody can tell whether"
        " an earlier try arrived.",
    )
    routes_changed = models.BooleanField(
        default=False,
        help_text="Its routes are newer than its rows, so a retry chooses again.",
    )
    is_settling = models.BooleanField(
        default=False,
        help_text="It has ended, and rows are still to be taken back.",
    )
    state_reason = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=BroadcastState.values),
                name="broadcast_state_known",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=["completed", "cancelled", "failed"],
                    finished_at__isnull=False,
                )
                | ~Q(state__in=["completed", "cancelled", "failed"])
                & Q(finished_at__isnull=True),
                name="broadcast_finished_when_final",
            ),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(run_at__isnull=False),
                name="broadcast_scheduled_has_time",
            ),
            models.CheckConstraint(
                condition=Q(kind="template", flow__isnull=True)
                | Q(kind="flow", flow__isnull=False),
                name="broadcast_flow_or_template",
            ),
            models.CheckConstraint(
                condition=Q(retry_of__isnull=True, root__isnull=True)
                | Q(retry_of__isnull=False, root__isnull=False) & ~Q(retry_of=F("id")),
                name="broadcast_retry_has_root",
            ),
            models.UniqueConstraint(
                fields=["retry_of"],
                condition=Q(state__in=["scheduled", "sending"]),
                name="broadcast_one_live_retry",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-id"], name="broadcast_newest"),
            models.Index(
                fields=["run_at"],
                condition=Q(state="scheduled"),
                name="broadcast_due",
            ),
            models.Index(
                fields=["id"], condition=Q(state="sending"), name="broadcast_sending"
            ),
            models.Index(
                fields=["id"], condition=Q(is_settling=True), name="broadcast_settling"
            ),
            models.Index(
                fields=["organization"],
                condition=Q(state__in=["draft", "scheduled"]),
                name="broadcast_of_quota",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_retry(self) -> bool:
        return self.retry_of_id is not None

    @property
    def chain_root_id(self) -> int:
        """The id of the first broadcast of this chain."""
        return self.root_id or self.pk
