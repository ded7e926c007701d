"""The nouns of broadcasts, a file each."""

from __future__ import annotations

from broadcasts.models.broadcast import Broadcast, BroadcastKind, BroadcastState
from broadcasts.models.flow import Flow, FlowStep
from broadcasts.models.frozen import FrozenMembers
from broadcasts.models.route import Route, RouteRole

__all__ = [
    "Broadcast",
    "BroadcastKind",
    "BroadcastState",
    "Flow",
    "FlowStep",
    "FrozenMembers",
    "Route",
    "RouteRole",
]
