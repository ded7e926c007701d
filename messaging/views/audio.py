"""Where a provider fetches a clip that was sent: an address that nobody guesses."""

from __future__ import annotations

import uuid

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from messaging.models import AudioJob, AudioState


@login_not_required
@require_safe
def audio_file(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """Hand out the file to whoever was told its address, as long as it is kept."""
    job = get_object_or_404(
        AudioJob.objects.only("ogg"), uid=uid, state=AudioState.DONE
    )
    response = HttpResponse(bytes(job.ogg or b""), content_type="audio/ogg")
    response["Content-Disposition"] = 'inline; filename="audio.ogg"'
    response["Cache-Control"] = "private, max-age=86400, immutable"
    response["X-Robots-Tag"] = "noindex"
    return response
