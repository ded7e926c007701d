"""``POST /send/audio`` and ``GET /jobs/{id}``, as WUTS has the first of them.

The clip is transcoded by a worker and leaves as an ordinary message: it is on record,
costs what a message costs, and can be sent again.
"""

from __future__ import annotations

import binascii
import re
import uuid
from base64 import b64decode
from time import monotonic, sleep
from typing import Any, Literal

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import P, PathEx, Router
from pydantic import Field

from messaging.api import gateway_examples as examples
from messaging.api.auth import client_of, readers, writers
from messaging.api.gateway import ERRORS, MESSAGE_ID, Device
from messaging.api.gateway_words import Answer, Body, problem_of, wire_moment
from messaging.api.problems import FieldError, Problem, as_json, invalid
from messaging.audio import jobs
from messaging.channels import jids
from messaging.models import (
    ApiClient,
    Attempt,
    AudioJob,
    AudioState,
    Message,
    MessageState,
)
from messaging.retransmission import choosing
from messaging.retransmission.words import Refused

SMALL_BYTES = 1024 * 1024
"""What is larger is answered with a job at once."""
LOOK_EVERY_SECONDS = 0.1
_DATA_URI = re.compile(r"data:[\w/.+-]*(?:;[\w=. +-]+)*;base64,")
_FILLING = re.compile(r"[\s()+-]")
_NUMBER = re.compile(r"[1-9][0-9]{9,14}")
ON_ITS_WAY = {MessageState.QUEUED, MessageState.SENDING}

router = Router(tags=["Device gateway (WUTS)"])


class QuotedKey(Body):
    id: str = Field(min_length=1, max_length=128)
    fromMe: bool = False  # noqa: N815 - the vendor spells it like this


class Quoted(Body):
    key: QuotedKey


class AudioBody(Body):
    number: str = Field(max_length=60, description="Country code and number.")
    audio: str | None = Field(
        None, description="Base64, with or without a data URI prefix."
    )
    audio_url: str | None = Field(None, max_length=2000)
    ptt: bool = Field(False, description="As a voice note.")
    view_once: bool = False
    delay: int = Field(0, ge=0, le=60, description="Seconds the device waits.")
    mentions: list[str] = Field(default_factory=list, max_length=50)
    quoted: Quoted | None = None
    device_id: Device = ""


class AudioAnswer(Answer):
    success: Literal[True]
    message_id: str
    timestamp: str
    status: Literal["sent"]
    chat_jid: str
    metadata: dict[str, Any]


class AudioAccepted(Answer):
    success: Literal[True]
    timestamp: str
    status: Literal["processing"]
    chat_jid: str
    job_id: str


class JobAnswer(Answer):
    success: Literal[True]
    job_id: str
    status: str = Field(description="processing, queued, sent, delivered or failed.")
    message_id: str | None = None
    chat_jid: str
    timestamp: str
    error: str | None = None
    error_code: str | None = None
    metadata: dict[str, Any]


@router.post(
    "/send/audio",
    auth=writers(),
    response={200: AudioAnswer, 202: AudioAccepted, **ERRORS},
    summary="Send an audio message",
    operation_id="send_audio",
    openapi_extra=examples.AUDIO,
)
def send_audio(request: HttpRequest, body: AudioBody) -> HttpResponse:
    """Send a clip to one person, transcoded to Ogg with Opus.

    `audio` or `audio_url`, not both. Bodies have 5 MB at most, files behind an address
    16 MB, clips 10 minutes. 202 with a job id when it takes longer.
    """
    client = client_of(request)
    phone = _phone(body.number)
    source = _source(body)
    _check_options(body)
    device = choosing.choose(client.organization, [], body.device_id)
    if isinstance(device, Refused):
        raise problem_of(device)
    job = jobs.create(
        integration=device,
        phone=phone,
        source=source,
        source_url=body.audio_url or "",
        options=_options(body),
        asked_by_name=client.name,
    )
    if source is None or len(source) <= SMALL_BYTES:
        job = _awaited(job)
    return _answer(job)


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
        "message_id": _provider_id(job) or None,
        "chat_jid": jids.of_phone(job.phone),
        "timestamp": wire_moment(job.finished_at or job.created_at),
        "error": job.error or None,
        "error_code": job.error_code or None,
        "metadata": _metadata(job),
    }
    if job.message is not None and job.message.state == MessageState.FAILED:
        told["error"] = "The message could not be sent. Its page shows why."
        told["error_code"] = job.message.error_code.partition(":")[2] or "FAILED"
    return as_json(200, told)


def _own_job(client: ApiClient, job_id: str) -> AudioJob:
    try:
        uid = uuid.UUID(job_id)
    except ValueError:
        uid = uuid.UUID(int=0)
    own = AudioJob.objects.filter(organization=client.organization, uid=uid)
    job: AudioJob | None = _light(own).first()
    if job is None:
        raise Problem(404, "not_found", "There is no job with this id.")
    return job


def _light(jobs_: Any) -> Any:
    """Leave the files in the database."""
    return jobs_.defer("source", "ogg").select_related("message", "integration")


def _awaited(job: AudioJob) -> AudioJob:
    """Wait a little while a worker makes the clip and sends it."""
    patience = monotonic() + settings.AUDIO_WAIT_SECONDS
    while True:
        fresh: AudioJob = _light(AudioJob.objects.filter(pk=job.pk)).get()
        is_over = fresh.state == AudioState.FAILED or (
            fresh.message is not None and fresh.message.state not in ON_ITS_WAY
        )
        if is_over or monotonic() > patience:
            return fresh
        sleep(LOOK_EVERY_SECONDS)


def _answer(job: AudioJob) -> HttpResponse:
    if job.state == AudioState.FAILED:
        raise Problem(400, job.error_code, job.error)
    message = job.message
    if message is not None and message.state == MessageState.FAILED:
        code = message.error_code.partition(":")[2]
        status = 503 if code == "DEVICE_NOT_READY" else 502
        raise Problem(
            status,
            code if status == 503 else "GATEWAY_ERROR",
            "The device gateway refused the clip. The page of the message shows why.",
        )
    told: dict[str, Any] = {"success": True}
    chat = jids.of_phone(job.phone)
    provider_id = _provider_id(job)
    if not provider_id:
        told["timestamp"] = wire_moment(job.created_at)
        told |= {"status": "processing", "chat_jid": chat, "job_id": str(job.uid)}
        return as_json(202, told)
    moment = wire_moment(job.finished_at or job.created_at)
    told |= {"message_id": provider_id, "timestamp": moment, "status": "sent"}
    told |= {"chat_jid": chat, "metadata": _metadata(job)}
    return as_json(200, told)


def _status(job: AudioJob) -> str:
    if job.state == AudioState.FAILED:
        return "failed"
    message: Message | None = job.message
    if message is None:
        return "processing"
    return "queued" if message.state in ON_ITS_WAY else message.state


def _provider_id(job: AudioJob) -> str:
    """Return the device's own id of the message, once it has one."""
    if job.message_id is None:
        return ""
    sent = Attempt.objects.filter(message_id=job.message_id).exclude(provider_id="")
    return sent.order_by("-number").values_list("provider_id", flat=True).first() or ""


def _metadata(job: AudioJob) -> dict[str, Any]:
    """Return what is known of the clip; the gateway adds nothing of its own."""
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
        "sent_at": wire_moment(finished),
    }


def _phone(number: str) -> str:
    plain = number.removesuffix(jids.PERSON)
    if plain.endswith(jids.GROUP):
        raise _wrong("number", "A message goes to one person, not to a group.")
    plain = _FILLING.sub("", plain)
    if not _NUMBER.fullmatch(plain):
        raise _wrong("number", "Give the country code and the number, 10 to 15 digits.")
    return f"+{plain}"


def _source(body: AudioBody) -> bytes | None:
    if (body.audio is None) == (body.audio_url is None):
        raise _wrong("audio", "Give either audio or audio_url.")
    if body.audio is None:
        return None
    prefix = _DATA_URI.match(body.audio)
    text = body.audio[prefix.end() :] if prefix else body.audio
    try:
        data = b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise _wrong("audio", "This is not base64.") from None
    if not data:
        raise _wrong("audio", "There is nothing in it.")
    return data


def _check_options(body: AudioBody) -> None:
    if not all(jids.is_person(one) for one in body.mentions):
        raise _wrong("mentions", "Each must be a person: <digits>@s.whatsapp.net.")
    if body.quoted is not None and not MESSAGE_ID.fullmatch(body.quoted.key.id):
        raise _wrong("quoted.key.id", "This is no message id.")


def _options(body: AudioBody) -> dict[str, Any]:
    """Return what travels with the clip; what nobody asked for is left out."""
    found: dict[str, Any] = {}
    if body.ptt:
        found["ptt"] = True
    if body.view_once:
        found["view_once"] = True
    if body.delay:
        found["delay"] = body.delay
    if body.mentions:
        found["mentions"] = body.mentions
    if body.quoted is not None:
        found["quoted"] = body.quoted.model_dump()
    return found


def _wrong(field: str, sentence: str) -> Problem:
    return invalid("validation failed:", FieldError(field, sentence))
