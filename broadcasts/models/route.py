"""Where a broadcast leaves: an ordered list of integrations, and fallbacks."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from broadcasts.models.broadcast import Broadcast
from messaging.models import Content, Integration


class RouteRole(models.TextChoices):
    ROUTE = "route", "Route"
    FALLBACK = "fallback", "Fallback"


class Route(models.Model):
    """The first route that reaches a member is taken.

    For a template broadcast each route names its template; a flow travels the
    same on every route, so its routes name none. A fallback is a template for
    members whose WhatsApp window is closed.
    """

    broadcast = models.ForeignKey(
        Broadcast, on_delete=models.CASCADE, related_name="routes"
    )
    role = models.CharField(max_length=10, choices=RouteRole.choices)
    position = models.PositiveSmallIntegerField()
    integration = models.ForeignKey(
        Integration, on_delete=models.PROTECT, related_name="+"
    )
    content = models.ForeignKey(
        Content, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["broadcast", "role", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["broadcast", "role", "position"], name="route_position_once"
            ),
            models.CheckConstraint(
                condition=Q(role="route") | Q(content__isnull=False),
                name="route_fallback_has_template",
            ),
            models.CheckConstraint(
                condition=Q(role__in=RouteRole.values), name="route_role_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} {self.position}: {self.integration}"
