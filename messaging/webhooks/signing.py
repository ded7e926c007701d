"""Signatures by the specification of Standard Webhooks."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime

from standardwebhooks import Webhook

PREFIX = "whsec_"
SECRET_BYTES = 32
"""The specification asks for 24 to 64."""


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def headers(
    webhook_id: str, moment: datetime, body: str, signers: Sequence[Webhook]
) -> dict[str, str]:
    """Return what proves the origin of a body: id, time, one signature per secret."""
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(
            signer.sign(webhook_id, moment, body) for signer in signers
        ),
    }
