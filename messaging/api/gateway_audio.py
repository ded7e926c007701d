"""``POST /send/audio``, as WUTS has it.

The clip is transcoded by a worker and leaves as an ordinary message: it is on record,
costs what a message costs, and can be sent again.
"""

from __future__ import annotations

from time import monotonic, sleep
from typing import Any, Literal

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Router

from messaging import trail
from messaging.api import gateway_examples as examples
from messaging.api.auth import client_of, writers
from messaging.api.gateway import ERRORS
from messaging.api.gateway_clips import AudioBody, Clip, clip_of
from messaging.api.gateway_jobs import ON_ITS_WAY, light, metadata, provider_id
from messaging.api.gateway_words import Answer, envelope, problem_of, wire_moment
from messaging.api.once import once
from messaging.api.problems import Problem, as_json
from messaging.audio import jobs
from messaging.channels import jids
from messaging.models import ApiClient, AudioJob, AudioState, Integration, MessageState
from messaging.retransmission import choosing
from messaging.retransmission.words import Refused

SMALL_BYTES = 1024 * 1024
"""What is larger is answered with a job at once."""
LOOK_EVERY_SECONDS = 0.1

router = Router(tags=["Device gateway (WUTS)"])


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
    clip = clip_of(body)
    device = choosing.choose(client.organization, [], body.device_id)
    if isinstance(device, Refused):
        raise problem_of(device)
    return once(request, envelope, lambda: _answer(_sent(client, device, clip)))


def _sent(client: ApiClient, device: Integration, clip: Clip) -> AudioJob:
    """Put the clip on record; wait for what becomes of a small one."""
    job = jobs.create(
        integration=device,
        phone=clip.phone,
        source=clip.source,
        source_url=clip.source_url,
        options=clip.options,
        doer=trail.by_client(client),
    )
    is_small = clip.source is None or len(clip.source) <= SMALL_BYTES
    return _awaited(job) if is_small else job


def _awaited(job: AudioJob) -> AudioJob:
    """Wait a little while a worker makes the clip and sends it."""
    patience = monotonic() + settings.AUDIO_WAIT_SECONDS
    while True:
        fresh = light(AudioJob.objects.filter(pk=job.pk)).get()
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
        raise _refused(message.error_code.partition(":")[2])
    told: dict[str, Any] = {"success": True}
    chat = jids.of_phone(job.phone)
    message_id = provider_id(job)
    if not message_id:
        told["timestamp"] = wire_moment(job.created_at)
        told |= {"status": "processing", "chat_jid": chat, "job_id": str(job.uid)}
        return as_json(202, told)
    moment = wire_moment(job.finished_at or job.created_at)
    told |= {"message_id": message_id, "timestamp": moment, "status": "sent"}
    told |= {"chat_jid": chat, "metadata": metadata(job, is_async=False)}
    return as_json(200, told)


def _refused(code: str) -> Problem:
    """Return the answer when the device took the clip and did not send it."""
    is_off = code == "DEVICE_NOT_READY"
    return Problem(
        503 if is_off else 502,
        code if is_off else "GATEWAY_ERROR",
        "The device gateway refused the clip. The page of the message shows why.",
    )
