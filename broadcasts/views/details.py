"""What was decided about a broadcast, for the column beside the work."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.http import urlencode

from broadcasts import listing
from broadcasts.audience import Audience
from broadcasts.chain import ChainSummary
from broadcasts.clock import in_words
from broadcasts.models import Broadcast, BroadcastKind, Route, RouteRole
from broadcasts.views.links import page_of, report_of
from messaging.channels.contract import Channel
from messaging.channels.preview import Part, parts
from resend_admin.ui.time_zones import zone_name


@dataclass(frozen=True)
class Details:
    """What was decided, in words, for the column beside the work."""

    broadcast: Broadcast
    chain: ChainSummary

    @cached_property
    def _ways(self) -> list[Route]:
        return list(
            self.broadcast.routes.select_related("integration", "content").order_by(
                "position"
            )
        )

    @property
    def routes(self) -> list[Route]:
        return [one for one in self._ways if one.role == RouteRole.ROUTE]

    @property
    def fallbacks(self) -> list[Route]:
        return [one for one in self._ways if one.role == RouteRole.FALLBACK]

    @property
    def sends(self) -> str:
        """What is sent: the flow by name, or that each route has its template."""
        one = self.broadcast
        if one.kind == BroadcastKind.TEMPLATE or one.flow is None:
            return "Templates"
        return f"Flow “{one.flow.name}”"

    @property
    def audience(self) -> str:
        if self.broadcast.is_retry:
            words = listing.members_in_words(self.broadcast)
            return f"{words[:1].upper()}{words[1:]}"
        words = Audience.from_json(self.broadcast.audience).sentence
        return f"Members {words}" if words != "everyone" else "Everyone"

    @property
    def is_listed(self) -> bool:
        """Whether somebody named the members of this retry one by one."""
        return bool(self.broadcast.audience.get(listing.LISTED))

    @property
    def run_at_there(self) -> str:
        """The run time in the broadcast's own zone, where the viewer's is another."""
        one = self.broadcast
        if one.run_at is None or one.time_zone == zone_name():
            return ""
        return in_words(one.run_at, one.time_zone)

    @property
    def texts(self) -> list[tuple[str, list[Part]]]:
        """What a member reads, by template; a flow is the same on every route."""
        one = self.broadcast
        flow = one.content or (one.flow.published_content if one.flow else None)
        found = [one.content for one in self._ways if one.content]
        if one.kind == BroadcastKind.FLOW and flow is not None:
            found.insert(0, flow)
        return [
            (str(content), parts(content.kind, content.payload))
            for content in {content.pk: content for content in found}.values()
        ]

    @property
    def creator(self) -> str:
        person = self.broadcast.created_by
        return person.get_full_name() or person.username if person else ""

    @property
    def has_whatsapp(self) -> bool:
        """Whether the 24-hour window concerns it: a flow on a WhatsApp number."""
        return self.broadcast.kind == BroadcastKind.FLOW and any(
            one.integration.channel == Channel.WHATSAPP for one in self.routes
        )

    @property
    def report_url(self) -> str:
        """The report about it, once there is something to report."""
        return report_of(self.broadcast) if self.broadcast.started_at else ""

    @property
    def history_url(self) -> str:
        """Where everything stands that people and programs did to it; for admins."""
        query = urlencode({"about": page_of(self.broadcast)})
        return f"{reverse('messaging:audit')}?{query}"

    @property
    def source_url(self) -> str:
        source = self.broadcast.retry_of
        return page_of(source) if source else ""
