"""Let a paused integration send again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from messaging import integrations
from messaging.access import own_or_404, role_required
from messaging.models import Integration, Role
from messaging.trail import by_person


@require_POST
@role_required(Role.EDITOR)
def integration_resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Resume by one click; whoever comes second learns that it sends already."""
    integration = own_or_404(request, Integration, pk)
    if integrations.resume(integration, by=by_person(request.user)):
        messages.success(
            request,
            f"“{integration.name}” sends again. If the provider still refuses the"
            " credentials, it pauses by itself, and no message is lost.",
        )
    else:
        messages.info(request, f"“{integration.name}” was not paused any more.")
    return redirect(_back(request))


def _back(request: HttpRequest) -> str:
    """Return the page of ours that asked, else the overview."""
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}):
        return wanted
    return reverse("overview")
