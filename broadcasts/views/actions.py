"""What else is done to a broadcast: schedule, cancel, clone, delete, edit routes."""

from __future__ import annotations

from http import HTTPStatus

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from broadcasts import drafts, schedule, summary
from broadcasts.clock import database_now, in_words
from broadcasts.forms import RoutesForm, ScheduleForm
from broadcasts.forms.routes import Ways, initial_routes, used_specs
from broadcasts.models import Broadcast, BroadcastState
from broadcasts.models.broadcast import LIVE_STATES
from broadcasts.problems import Problem, conflict
from broadcasts.retry import proposed_time
from broadcasts.views.editing import with_another_row
from broadcasts.views.links import page_for, page_of
from broadcasts.views.refusals import refused, show, status_of
from messaging.access import own_or_404, person_of, role_required
from messaging.models import Role
from resend_admin.ui.dialogs import close_dialog, render_dialog
from resend_admin.ui.time_zones import zone_name


def _own(request: HttpRequest, pk: int) -> Broadcast:
    rows = Broadcast.objects.select_related("organization", "flow", "root")
    return own_or_404(request, rows, pk)


@require_http_methods(["GET", "POST"])
@role_required(Role.EDITOR)
def broadcast_schedule(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a draft its time."""
    broadcast = _own(request, pk)
    proposal = broadcast.run_at or proposed_time(database_now())
    form = ScheduleForm(request.POST or None, initial={"run_at": proposal})
    status: int | None = None
    if form.is_valid():
        try:
            schedule.schedule(
                broadcast=broadcast,
                person=person_of(request),
                run_at=form.cleaned_data["run_at"],
                time_zone=zone_name(),
            )
        except Problem as problem:
            status = show(problem, form)
        else:
            when = in_words(form.cleaned_data["run_at"], zone_name())
            text = f"“{broadcast.name}” will run on {when}."
            return close_dialog(request, page_of(broadcast), text)
    context = {
        "form": form,
        "broadcast": broadcast,
        "cancel_url": page_of(broadcast),
        "edit_url": page_for("edit", broadcast),
        "page_title": "Schedule",
    }
    return render_dialog(
        request, "broadcasts/broadcast_schedule.html", context, status=status
    )


@require_http_methods(["GET", "POST"])
@role_required(Role.EDITOR)
def broadcast_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop what is scheduled or sending, after one question."""
    broadcast = _own(request, pk)
    form = forms.Form(request.POST if request.method == "POST" else None)
    status: int | None = None
    if request.method == "POST":
        try:
            schedule.cancel(broadcast=broadcast, person=person_of(request))
        except Problem as problem:
            status = show(problem, form)
        else:
            text = f"“{broadcast.name}” is cancelled. What has left stays."
            return close_dialog(request, page_of(broadcast), text)
    counters = summary.counters_of(broadcast)
    context = {
        "form": form,
        "broadcast": broadcast,
        "waiting": counters.waiting + counters.untried,
        "cancel_url": page_of(broadcast),
        "page_title": "Cancel",
        "dialog_off": _why_not_cancelled(broadcast) if status is None else "",
    }
    return render_dialog(
        request, "broadcasts/broadcast_cancel.html", context, status=status
    )


def _why_not_cancelled(broadcast: Broadcast) -> str:
    if broadcast.state in LIVE_STATES:
        return ""
    state = broadcast.get_state_display().lower()
    return f"There is nothing to cancel: the broadcast is {state}."


@require_POST
@role_required(Role.EDITOR)
def broadcast_clone(request: HttpRequest, pk: int) -> HttpResponse:
    """Copy it into a draft and open that for editing."""
    broadcast = _own(request, pk)
    try:
        copy = drafts.clone(broadcast=broadcast, person=person_of(request))
    except Problem as problem:
        return refused(request, problem, page_of(broadcast))
    messages.success(request, f"“{copy.name}” is a draft now. Nothing is sent yet.")
    return HttpResponseRedirect(page_for("edit", copy))


@require_http_methods(["GET", "POST"])
@role_required(Role.EDITOR)
def broadcast_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw a draft away, after one question."""
    broadcast = _own(request, pk)
    form = forms.Form(request.POST if request.method == "POST" else None)
    status: int | None = None
    if request.method == "POST":
        try:
            drafts.delete_draft(broadcast=broadcast, person=person_of(request))
        except Problem as problem:
            status = show(problem, form)
        else:
            text = f"The draft “{broadcast.name}” is deleted."
            return close_dialog(request, reverse("broadcasts:broadcast-list"), text)
    is_draft = broadcast.state == BroadcastState.DRAFT
    context = {
        "form": form,
        "broadcast": broadcast,
        "cancel_url": page_of(broadcast),
        "page_title": "Delete draft",
        "dialog_off": "" if is_draft or status else "Only drafts are deleted.",
    }
    return render_dialog(
        request, "broadcasts/broadcast_delete.html", context, status=status
    )


@require_http_methods(["GET", "POST"])
@role_required(Role.EDITOR)
def broadcast_routes(request: HttpRequest, pk: int) -> HttpResponse:
    """Change routes and fallbacks, also after the end, until a retry has started."""
    broadcast = _own(request, pk)
    allowed = schedule.may_edit_routes(broadcast)
    if not allowed.enabled:
        return refused(request, conflict(allowed.reason), page_of(broadcast))
    ways = Ways.of(broadcast.organization, used_specs(broadcast))
    form = RoutesForm(
        request.POST or None,
        ways=ways,
        source=broadcast.kind,
        initial=initial_routes(broadcast),
        is_ready=broadcast.state != BroadcastState.DRAFT,
    )
    status = HTTPStatus.OK
    if "show" in request.POST:
        values = with_another_row(form, request)
        form = RoutesForm(ways=ways, source=broadcast.kind, initial=values)
    elif request.method == "POST":
        status = _save_routes(request, broadcast, form)
        if status == HTTPStatus.FOUND:
            return HttpResponseRedirect(page_of(broadcast))
    context = {
        "form": form,
        "broadcast": broadcast,
        "cancel_url": page_of(broadcast),
        "trail": [
            ("Broadcasts", reverse("broadcasts:broadcast-list")),
            (broadcast.name, page_of(broadcast)),
        ],
    }
    return render(request, "broadcasts/routes_form.html", context, status=status)


def _save_routes(
    request: HttpRequest, broadcast: Broadcast, form: RoutesForm
) -> HTTPStatus:
    """Save what is valid; return 302 when it is done, else why the page is shown."""
    if not form.is_valid():
        return HTTPStatus.UNPROCESSABLE_ENTITY
    try:
        schedule.edit_routes(
            broadcast=broadcast,
            person=person_of(request),
            routes=form.routes,
            fallbacks=form.fallbacks,
        )
    except Problem as problem:
        form.add_error(form.field_for(problem.field), problem.sentence)
        return status_of(problem)
    messages.success(
        request, "Routes and fallbacks are saved. A retry will go by them."
    )
    return HTTPStatus.FOUND
