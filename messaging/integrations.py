"""What people do to an integration beyond filling in its form."""

from __future__ import annotations

from django.db import transaction

from messaging import trail
from messaging.dispatch import circuit
from messaging.models import AuditKind, Integration
from messaging.trail import Doer


@transaction.atomic
def resume(integration: Integration, *, by: Doer) -> bool:
    """Let a paused integration send again; tell whether it was paused."""
    if not circuit.close_circuit(integration.pk):
        return False
    trail.record(
        AuditKind.INTEGRATION,
        f"Let “{integration.name}” send again.",
        organization_id=integration.organization_id,
        doer=by,
        changes=[("paused because", integration.state_reason, "")],
        link=f"/admin/messaging/integration/{integration.pk}/change/",
    )
    return True
