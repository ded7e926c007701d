"""The phones behind device gateways: asking how one is, right now."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from messaging.access import own_or_404, role_required
from messaging.devices import checking, words
from messaging.models import Integration, Role


@require_POST
@role_required(Role.EDITOR)
def device_check(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the gateway how the phone is; takes no longer than the gateway is given."""
    rows = Integration.objects.select_related("device")
    integration = own_or_404(request, rows, pk)
    if integration.kind != checking.KIND:
        messages.info(
            request,
            f"“{integration.name}” has no phone: only device gateways have one.",
        )
        return redirect(_back(request))
    checking.check(integration)
    known = checking.health_of(rows.get(pk=pk))
    is_well = known is not None and known.is_ready
    tone = messages.SUCCESS if is_well else messages.WARNING
    messages.add_message(request, tone, words.standing_of(integration.name, known))
    return redirect(_back(request))


def _back(request: HttpRequest) -> str:
    """Return the page of ours that asked, else the one that shows all phones."""
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}):
        return wanted
    return reverse("messaging:unreadable-list")
