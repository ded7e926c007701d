"""The same request twice is answered twice and done once.

A client that lost an answer sends its request again under the same
``Idempotency-Key`` and gets the first answer. Only the row that is inserted
first does anything, so two at the same instant cannot both.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto

from django.db import connection
from django.utils import timezone

from messaging.models import ApiClient, KeptAnswer

KEPT_FOR = timedelta(hours=24)
PRUNE_BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: an HTTP status and the body as it was sent."""

    status: int
    body: str


class Begun(Enum):
    """The request is new: do it, then :func:`keep` or :func:`forget`."""

    NEW = auto()
    IN_PROGRESS = auto()
    """The same request is being done, or broke off before its answer was kept."""
    OTHER_REQUEST = auto()
    """Another request came under this key before."""


def hash_of(method: str, path: str, body: bytes) -> str:
    """Return what tells one request from another."""
    return hashlib.sha256(
        b"\0".join([method.encode(), path.encode(), body])
    ).hexdigest()


def begin(client: ApiClient, key: str, request_hash: str) -> Begun | Answer:
    """Take the key for this request, or learn what has become of an earlier one.

    A request that broke off keeps its key until the day is over: whether it was
    done is for its message to tell, not for a second try to find out.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO messaging_keptanswer AS kept (client_id, key, request_hash)
            VALUES (%(client_id)s, %(key)s, %(request_hash)s)
            ON CONFLICT (client_id, key) DO UPDATE
            SET request_hash = excluded.request_hash, created_at = now(),
                status = NULL, body = ''
            WHERE kept.created_at < now() - %(kept_for)s * interval '1 second'
            """,
            {
                "client_id": client.pk,
                "key": key,
                "request_hash": request_hash,
                "kept_for": KEPT_FOR.total_seconds(),
            },
        )
        if cursor.rowcount:
            return Begun.NEW
    kept = KeptAnswer.objects.filter(client=client, key=key).first()
    if kept is None:
        return Begun.IN_PROGRESS
    if kept.request_hash != request_hash:
        return Begun.OTHER_REQUEST
    if kept.status is None:
        return Begun.IN_PROGRESS
    return Answer(kept.status, kept.body)


def keep(client: ApiClient, key: str, answer: Answer) -> None:
    """Keep the answer for whoever asks again."""
    KeptAnswer.objects.filter(client=client, key=key, status=None).update(
        status=answer.status, body=answer.body
    )


def forget(client: ApiClient, key: str) -> None:
    """Give the key back: nothing was done under it."""
    KeptAnswer.objects.filter(client=client, key=key, status=None).delete()


def prune() -> int:
    """Remove the answers that nobody may ask for any more; return how many."""
    removed = 0
    while True:
        old = KeptAnswer.objects.filter(created_at__lt=timezone.now() - KEPT_FOR)
        batch = list(
            old.order_by("created_at").values_list("pk", flat=True)[:PRUNE_BATCH]
        )
        removed += KeptAnswer.objects.filter(pk__in=batch).delete()[0]
        if len(batch) < PRUNE_BATCH:
            return removed
