"""From a clip to a message: claimed, fetched, transcoded, queued, sent.

A row is claimed by a lease and finished in the transaction that makes its message, so
that a clip becomes one message however often a worker dies on the way.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from messaging import sending, trail
from messaging.audio.fetching import fetch
from messaging.audio.transcoding import AudioError, transcode
from messaging.channels.contract import ContentKind
from messaging.dispatch import doorbell
from messaging.models import (
    Actor,
    AudioJob,
    AudioState,
    AuditKind,
    Content,
    Integration,
)
from messaging.sending import Asker, Refused
from messaging.trail import Doer

logger = logging.getLogger(__name__)

TASK: Final = "messaging.tasks.make_audio"
LEASE: Final = timedelta(minutes=3)
"""Longer than fetching, transcoding and sending may take together."""
MOST_TRIES: Final = 3
BUDGET_SECONDS: Final = 50.0
"""After so long a task leaves the rest to the next one."""


def create(
    *,
    integration: Integration,
    phone: str,
    source: bytes | None,
    source_url: str,
    options: Mapping[str, Any],
    doer: Doer,
) -> AudioJob:
    """Put a clip, and who sends it, on record and wake a worker."""
    with transaction.atomic():
        job = AudioJob.objects.create(
            organization_id=integration.organization_id,
            integration=integration,
            phone=phone,
            source=source,
            source_url=source_url,
            options=dict(options),
            asked_by_name=doer.name[:150],
        )
        trail.record(
            AuditKind.OTHER,
            f"Gave “{integration.name}” an audio clip to send: job {job.uid}.",
            organization_id=integration.organization_id,
            doer=doer,
            link=reverse("admin:messaging_audiojob_change", args=[job.pk]),
        )
        transaction.on_commit(partial(doorbell.call, TASK))
    return job


def run() -> int:
    """Do what waits, one after the other, for a while; return how many were done."""
    done, end = 0, monotonic() + BUDGET_SECONDS
    while monotonic() < end:
        job = _claim()
        if job is None:
            break
        _do(job)
        done += 1
    return done


def _claim() -> AudioJob | None:
    with transaction.atomic():
        free = Q(lease_until__isnull=True) | Q(lease_until__lt=Now())
        job = (
            AudioJob.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("integration__organization")
            .filter(free, state__in=[AudioState.WAITING, AudioState.RUNNING])
            .order_by("pk")
            .first()
        )
        if job is None:
            return None
        AudioJob.objects.filter(pk=job.pk).update(
            state=AudioState.RUNNING,
            lease_until=timezone.now() + LEASE,
            tries=F("tries") + 1,
        )
        job.tries += 1
    return job


def _do(job: AudioJob) -> None:
    if job.tries > MOST_TRIES:
        _fail(job, "CONVERSION_FAILED", "The clip could not be converted.")
        return
    try:
        started = monotonic()
        data = bytes(job.source) if job.source is not None else fetch(job.source_url)
        fetched = monotonic()
        clip = transcode(data)
        facts = {
            **clip.facts,
            "audio_size_bytes": len(clip.ogg),
            "download_time_ms": _ms(started, fetched) if job.source is None else 0,
            "conversion_time_ms": _ms(fetched, monotonic()),
        }
    except AudioError as problem:
        _fail(job, "VALIDATION_ERROR", str(problem))
        return
    message_id = _finish(job, clip.ogg, facts)
    if message_id is not None:
        sending.send_or_wait(message_id, now=True)


def _finish(job: AudioJob, ogg: bytes, facts: Mapping[str, Any]) -> int | None:
    """Make the message and end the job, or neither; return the message's number."""
    with transaction.atomic():
        mine = AudioJob.objects.filter(
            pk=job.pk, state=AudioState.RUNNING, tries=job.tries
        )
        # The lock decides between two workers of which one was thought to be dead.
        if mine.select_for_update().values_list("pk", flat=True).first() is None:
            return None
        organization = job.integration.organization
        content = Content.objects.create(
            organization=organization,
            kind=ContentKind.AUDIO,
            name="Voice note" if job.options.get("ptt") else "Audio",
            payload={"url": file_url(job), **job.options},
        )
        queued = sending.queue_new(
            contact=sending.member_with_phone(organization, job.phone),
            integration=job.integration,
            content=content,
            asker=Asker(Actor.API, job.asked_by_name),
            recipient=job.phone,
        )
        if isinstance(queued, Refused):
            content.delete()
            _fail(job, queued.code.upper(), queued.sentence)
            return None
        mine.update(
            state=AudioState.DONE,
            message=queued,
            ogg=ogg,
            source=None,
            facts=dict(facts),
            finished_at=Now(),
            lease_until=None,
        )
    return queued.pk


def _fail(job: AudioJob, code: str, sentence: str) -> None:
    AudioJob.objects.filter(
        pk=job.pk, state=AudioState.RUNNING, tries=job.tries
    ).update(
        state=AudioState.FAILED,
        error_code=code[:40],
        error=sentence[:500],
        source=None,
        finished_at=Now(),
        lease_until=None,
    )


def file_url(job: AudioJob) -> str:
    """Return where the provider fetches the clip; nobody guesses the address."""
    path = reverse("messaging:audio-file", kwargs={"uid": job.uid})
    return f"{settings.PUBLIC_URL}{path}"


def prune() -> int:
    """Let go of clips that are older than their organization keeps messages."""
    old = Q(
        created_at__lt=Now() - F("organization__retention_days") * timedelta(days=1)
    )
    return int(AudioJob.objects.filter(old).delete()[0])


def _ms(start: float, end: float) -> int:
    return round((end - start) * 1000)
