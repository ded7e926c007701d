"""New, edit, and the preview of an audience: one page, with or without scripts."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from broadcasts import audience, quota, schedule
from broadcasts.audience import Audience, AudienceChoices
from broadcasts.clock import in_words
from broadcasts.forms import BroadcastForm, RetryEditForm
from broadcasts.forms.audience import typed_audience
from broadcasts.forms.broadcast import (
    TEXT,
    WHATS,
    first_values,
    initial_values,
    typed_values,
    what_in,
)
from broadcasts.forms.routes import CHOICES, RoutesForm, Ways, used_specs
from broadcasts.models import Broadcast, BroadcastKind, BroadcastState, Flow
from broadcasts.models.broadcast import QUOTA_STATES
from broadcasts.problems import Problem, conflict
from broadcasts.views.links import page_of
from broadcasts.views.refusals import refused, status_of
from broadcasts.views.writing import write
from messaging.access import organization_of, own_or_404, person_of, role_required
from messaging.channels.preview import parts
from messaging.models import Organization, Role, User


@dataclass
class Editor:
    """One request to the page: what it may choose from, and its form."""

    request: HttpRequest
    broadcast: Broadcast | None
    organization: Organization = field(init=False)
    person: User = field(init=False)
    ways: Ways = field(init=False)
    choices: AudienceChoices = field(init=False)
    flows: dict[int, Flow] = field(init=False)

    def __post_init__(self) -> None:
        self.organization = organization_of(self.request)
        self.person = person_of(self.request)
        self.ways = Ways.of(self.organization, used_specs(self.broadcast))
        self.choices = audience.choices(self.organization)
        chosen = self.broadcast.flow_id if self.broadcast else None
        flows = Flow.objects.filter(
            Q(is_published=True) | Q(pk=chosen), organization=self.organization
        ).select_related("published_content")
        self.flows = {one.pk: one for one in flows[:CHOICES]}

    @property
    def is_ready(self) -> bool:
        """Whether “Schedule” was pressed."""
        return self.request.POST.get("action") == "schedule"

    @property
    def whats(self) -> list[str]:
        """What may be sent; a scheduled broadcast keeps its kind."""
        one = self.broadcast
        if one is None or one.state == BroadcastState.DRAFT:
            return list(WHATS)
        if one.kind == BroadcastKind.TEMPLATE:
            return [BroadcastKind.TEMPLATE]
        return [TEXT, BroadcastKind.FLOW]

    def form(self, data: Any = None, **options: Any) -> BroadcastForm:
        values = options.setdefault("initial", self._first_values())
        what = what_in(data if data is not None else values)
        return BroadcastForm(
            data,
            ways=self.ways,
            flows=self.flows,
            choices=self.choices,
            source=what if what in self.whats else self.whats[-1],
            **_readiness(self.broadcast, is_wanted=self.is_ready),
            **options,
        )

    def redrawn(self) -> BroadcastForm:
        """Return the form as it stands, with what the pressed button asks for."""
        data = self.request.POST
        values = typed_values(self.form(data), data)
        show = data.get("show", "")
        if show in self.whats:
            values["what"] = show
        if show in {"route", "fallback"}:
            shown = self.form(data).counts
            values[f"{show}_count"] = shown[show] + 1  # type: ignore[index]
        return self.form(initial=values)

    def page(self, form: BroadcastForm, status: int = HTTPStatus.OK) -> HttpResponse:
        chosen = form.chosen_content
        context = {
            "form": form,
            "broadcast": self.broadcast,
            "whats": [(what, WHATS[what]) for what in self.whats],
            "preview": audience.preview(self.organization, self._audience(form)),
            "parts": parts(chosen.kind, chosen.payload) if chosen else [],
            "slots_used": quota.slots_used(self.organization.pk),
            "cancel_url": _back_from(self.broadcast),
            "trail": _trail(self.broadcast),
        }
        return render(
            self.request, "broadcasts/broadcast_form.html", context, status=status
        )

    def _first_values(self) -> dict[str, Any]:
        if self.broadcast is None:
            return first_values()
        return initial_values(self.broadcast, self.choices)

    def _audience(self, form: BroadcastForm) -> Audience:
        if form.is_bound or self.request.method == "POST":
            return typed_audience(self.request.POST)
        if self.broadcast is None:
            return Audience()
        return Audience.from_json(self.broadcast.audience)


@require_http_methods(["GET", "POST"])
@role_required(Role.EDITOR)
def broadcast_create(request: HttpRequest) -> HttpResponse:
    return _answer(Editor(request, None))


@require_http_methods(["GET", "POST"])
@role_required(Role.EDITOR)
def broadcast_edit(request: HttpRequest, pk: int) -> HttpResponse:
    broadcast = own_or_404(
        request, Broadcast.objects.select_related("organization", "flow"), pk
    )
    if broadcast.state not in QUOTA_STATES:
        return refused(request, _too_late(broadcast), page_of(broadcast))
    if broadcast.is_retry:
        return _edit_retry(request, broadcast)
    return _answer(Editor(request, broadcast))


@require_POST
@role_required(Role.EDITOR)
def audience_preview(request: HttpRequest) -> HttpResponse:
    """Answer with the preview alone, for the form that is being filled in."""
    found = audience.preview(organization_of(request), typed_audience(request.POST))
    return render(request, "broadcasts/audience_preview.html", {"preview": found})


def _answer(editor: Editor) -> HttpResponse:
    request = editor.request
    if request.method != "POST":
        return editor.page(editor.form())
    if "show" in request.POST:
        return editor.page(editor.redrawn())
    form = editor.form(request.POST)
    if not form.is_valid():
        if editor.broadcast is None and (full := quota.refusal(editor.organization)):
            form.add_error(None, full)
        return editor.page(form, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        saved = write(
            form,
            broadcast=editor.broadcast,
            organization=editor.organization,
            person=editor.person,
            is_ready=editor.is_ready,
        )
    except Problem as problem:
        form.add_error(form.field_for(problem.field), problem.sentence)
        return editor.page(form, status_of(problem))
    return _saved(request, saved)


def _edit_retry(request: HttpRequest, broadcast: Broadcast) -> HttpResponse:
    """Of a retry only the name, the time, the routes and the fallbacks change."""
    ways = Ways.of(broadcast.organization, used_specs(broadcast))
    options: dict[str, Any] = {
        "ways": ways,
        "source": broadcast.kind,
        "initial": initial_values(broadcast),
        **_readiness(broadcast),
    }
    form = RetryEditForm(request.POST or None, **options)
    if "show" in request.POST:
        form = _with_another_row(form, request, options)
    elif request.method == "POST" and form.is_valid():
        try:
            saved = schedule.edit(
                broadcast=broadcast,
                person=person_of(request),
                fields=form.fields_for(broadcast),
            )
        except Problem as problem:
            form.add_error(form.field_for(problem.field), problem.sentence)
        else:
            return _saved(request, saved)
    context = {
        "form": form,
        "broadcast": broadcast,
        "cancel_url": page_of(broadcast),
        "trail": _trail(broadcast),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "broadcasts/retry_form.html", context, status=status)


def _readiness(
    broadcast: Broadcast | None, *, is_wanted: bool = False
) -> dict[str, Any]:
    """Say whether it has to be complete, and the time that may stay as it is."""
    if broadcast is None or broadcast.state == BroadcastState.DRAFT:
        return {"is_ready": is_wanted}
    return {"is_ready": True, "runs_at": broadcast.run_at}


def _with_another_row(
    form: RetryEditForm, request: HttpRequest, options: dict[str, Any]
) -> RetryEditForm:
    return RetryEditForm(**{**options, "initial": with_another_row(form, request)})


def with_another_row(form: RoutesForm, request: HttpRequest) -> dict[str, Any]:
    """Return what was typed, and one more row of the kind that was asked for."""
    values = typed_values(form, request.POST)
    show = request.POST.get("show", "")
    if show in {"route", "fallback"}:
        values[f"{show}_count"] = form.counts[show] + 1  # type: ignore[index]
    return values


def _saved(request: HttpRequest, broadcast: Broadcast) -> HttpResponse:
    if broadcast.state == BroadcastState.SCHEDULED and broadcast.run_at:
        when = in_words(broadcast.run_at, broadcast.time_zone)
        messages.success(request, f"“{broadcast.name}” will run on {when}.")
    else:
        messages.success(request, f"“{broadcast.name}” is saved as a draft.")
    return HttpResponseRedirect(page_of(broadcast))


def _too_late(broadcast: Broadcast) -> Problem:
    state = broadcast.get_state_display().lower()
    return conflict(
        f"It cannot be changed any more: the broadcast is {state}."
        " Clone it and edit the copy."
    )


def _back_from(broadcast: Broadcast | None) -> str:
    return page_of(broadcast) if broadcast else reverse("broadcasts:broadcast-list")


def _trail(broadcast: Broadcast | None) -> list[tuple[str, str]]:
    trail = [("Broadcasts", reverse("broadcasts:broadcast-list"))]
    return [*trail, (broadcast.name, page_of(broadcast))] if broadcast else trail
