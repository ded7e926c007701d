"""Where providers post: store it raw, answer at once, understand it later."""

from __future__ import annotations

import uuid

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from messaging import receipts
from messaging.channels.contract import HookRequest
from messaging.dispatch import doorbell
from messaging.models import Integration


@login_not_required
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def hook(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """Take in receipts and events of one integration.

    GET answers the provider's verification of the address. POST is believed
    only with the provider's own signature.
    """
    integration = get_object_or_404(Integration, uid=uid)
    try:
        posted = _hook_request(request)
    except RequestDataTooBig:
        return _plain("This post is larger than 5 MB; send fewer events.", 413)
    account, provider = integration.account, integration.provider
    if request.method != "POST":
        answer = provider.handshake(account, posted)
        if answer is None:
            return _plain("Nothing to verify here, or the token is wrong.", 403)
        return _plain(answer, 200)
    if not provider.is_authentic(account, posted):
        return _plain(
            "The signature does not fit. Check the secret of this integration.", 403
        )
    if receipts.store(integration, provider.events(account, posted)):
        doorbell.call(doorbell.APPLY_RECEIPTS)
    return _plain("", 200)


def _hook_request(request: HttpRequest) -> HookRequest:
    return HookRequest(
        method=request.method or "",
        url=request.build_absolute_uri(),
        headers={name.lower(): value for name, value in request.headers.items()},
        query=request.GET.dict(),
        body=request.body,
    )


def _plain(text: str, status: int) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
