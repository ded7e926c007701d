"""Django admin of messaging: a file per group of nouns, all of one kind of rows.

Importing the package registers every model.
"""

from __future__ import annotations

from messaging.admin import (
    api_clients,
    bulk,
    contacts,
    contents,
    credits,
    figures,
    inbound,
    integrations,
    people,
    resending,
    signing_in,
    traffic,
    webhooks,
)

__all__ = [
    "api_clients",
    "bulk",
    "contacts",
    "contents",
    "credits",
    "figures",
    "inbound",
    "integrations",
    "people",
    "resending",
    "signing_in",
    "traffic",
    "webhooks",
]
