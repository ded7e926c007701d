"""The circuit: credentials that fail stop their integration, and burn nothing.

The queue of a paused integration is kept. What the provider had just refused goes
back into it, and leaves when a person has put the credentials right and resumed.
"""

from __future__ import annotations

import logging

from messaging.channels.contract import AUTH_FAILED
from messaging.dispatch import doorbell, statements
from messaging.models import Integration, IntegrationState

logger = logging.getLogger(__name__)

REASON_LIMIT = 300
REFUSED = "The provider refuses the credentials:"
"""How the reason begins that is kept on an integration."""


def is_about(error_code: str) -> bool:
    """Tell whether an error says that the credentials are refused."""
    return error_code.endswith(f":{AUTH_FAILED}")


def open_circuit(integration: Integration, detail: str) -> bool:
    """Pause an integration whose credentials were refused; tell whether it was now.

    Belongs into the transaction that puts the messages back. Nothing happens when
    somebody has changed the credentials since ``integration`` was read.
    """
    reason = f"{REFUSED} {detail or 'it says no more.'}"
    paused = statements.rows(
        "pause_integration",
        {
            "integration_id": integration.pk,
            "credentials": integration.encrypted_credentials,
            "reason": reason[:REASON_LIMIT],
        },
    )
    if paused:
        logger.warning(
            "An integration is paused: its provider refuses the credentials",
            extra={
                "organization_id": integration.organization_id,
                "integration_id": integration.pk,
            },
        )
    return bool(paused)


def is_open(integration: Integration) -> bool:
    """Tell whether refused credentials have paused it, and no person."""
    is_paused = integration.state == IntegrationState.PAUSED
    return is_paused and integration.state_reason.startswith(REFUSED)


def close_circuit(integration_id: int) -> bool:
    """Let a paused integration send again; tell whether it was paused."""
    resumed = statements.rows("resume_integration", {"integration_id": integration_id})
    if resumed:
        doorbell.ring_on_commit()
    return bool(resumed)
