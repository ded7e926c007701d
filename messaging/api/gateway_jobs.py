"""``GET /jobs/{id}``: what became of a clip that was answered with 202.

WUTS answers a large clip with the id of a job and shows no address to ask for it;
this one is ours, in the vendor's words.
"""

from __future__ import annotations

import uuid
from typing import Any, Literal

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import P, PathEx, Router
from pydantic import Field

from messaging.api import gateway_examples as examples
from messaging.api.auth import client_of, readers
from messaging.api.gateway import ERRORS
from messaging.api.gateway_words import Answer, wire_moment
from messaging.api.problems import Problem, as_json
from messaging.channels import jids
from messaging.models import (
    ApiClient,
    Attempt,
    AudioJob,
    AudioState,
    Message,
    MessageState,
)

ON_ITS_WAY = {MessageState.QUEUED, MessageState.SENDING}

router = Router(tags=["Device gateway (WUTS)"])


class JobAnswer(Answer):
    success: Literal[True]
    job_id: str
    status: str = Field(
        description="processing, queued, sent, delivered, read, failed or unknown."
    )
    message_id: str | None = None
    chat_jid: str
    timestamp: str
    error: str | None = None
    error_code: str | None = None
    metadata: dict[str, Any]


@router.get(
    "/jobs/{id}",
    auth=readers(),
    response={200: JobAnswer, **ERRORS},
    summary="Ask what became of a clip",
    operation_id="audio_job",
    openapi_extra=examples.JOB,
)
def audio_job(
    request: HttpRequest, job_id: PathEx[str, P(alias="id", max_length=64)]
) -> HttpResponse:
    """Tell what became of a clip that was answered with 202."""
    job = _own_job(client_of(request), job_id)
    told = {
        "success": True,
        "job_id": str(job.uid),
        "status": _status(job),
        "message_id": provider_id(job) or None,
        "chat_jid": jids.of_phone(job.phone),
        "timestamp": wire_moment(job.finished_at or job.created_at),
        "error": job.error or None,
        "error_code": job.error_code or None,
        "metadata": metadata(job, is_async=True),
    }
    if job.message is not None and job.message.state == MessageState.FAILED:
        told["error"] = "The message could not be sent. Its page shows why."
        told["error_code"] = job.message.error_code.partition(":")[2] or "FAILED"
    return as_json(200, told)


def light(jobs: QuerySet[AudioJob]) -> QuerySet[AudioJob]:
    """Leave the files in the database."""
    return jobs.defer("source", "ogg").select_related("message", "integration")


def provider_id(job: AudioJob) -> str:
    """Return the device's own id of the message, once it has one."""
    if job.message_id is None:
        return ""
    sent = Attempt.objects.filter(message_id=job.message_id).exclude(provider_id="")
    return sent.order_by("-number").values_list("provider_id", flat=True).first() or ""


def metadata(job: AudioJob, *, is_async: bool) -> dict[str, Any]:
    """Return what is known of the clip; the gateway adds nothing of its own.

    ``is_async`` tells whether the caller was answered before the clip had left.
    """
    if job.state != AudioState.DONE:
        return {}
    options = job.options
    finished = job.finished_at or job.created_at
    seconds = (finished - job.created_at).total_seconds()
    return {
        "device_id": job.integration.settings.get("device_id") or "",
        "processing_time_ms": round(seconds * 1000),
        "audio_size_bytes": job.facts.get("audio_size_bytes", 0),
        "audio_format": "audio/ogg; codecs=opus",
        "audio_duration_seconds": job.facts.get("audio_duration_seconds", 0),
        "conversion_time_ms": job.facts.get("conversion_time_ms", 0),
        "download_time_ms": job.facts.get("download_time_ms", 0),
        "mentions_processed": len(options.get("mentions", ())),
        "ptt_enabled": bool(options.get("ptt")),
        "conversion_applied": True,
        "original_format": job.facts.get("original_format", ""),
        "async_processing": is_async,
        "sent_at": wire_moment(finished),
    }


def _own_job(client: ApiClient, job_id: str) -> AudioJob:
    try:
        uid = uuid.UUID(job_id)
    except ValueError:
        uid = uuid.UUID(int=0)
    own = AudioJob.objects.filter(organization=client.organization, uid=uid)
    job = light(own).first()
    if job is None:
        raise Problem(404, "not_found", "There is no job with this id.")
    return job


def _status(job: AudioJob) -> str:
    if job.state == AudioState.FAILED:
        return "failed"
    message: Message | None = job.message
    if message is None:
        return "processing"
    return "queued" if message.state in ON_ITS_WAY else message.state
