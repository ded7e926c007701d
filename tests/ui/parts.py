"""A page with one of each shared piece, and the addresses its pieces call."""

from __future__ import annotations

from datetime import timedelta
from threading import Event
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.template import RequestContext, Template
from django.utils import timezone

from resend_admin.ui.dialogs import (
    close_dialog,
    dialog_base,
    may_wait,
    render_dialog,
    render_waiting,
)
from resend_admin.ui.forms import DateTimeLocalField
from resend_admin.ui.keyset import KeysetPage
from resend_admin.ui.progress import Progress, Segment
from resend_admin.ui.time_zones import moment_in_words
from resend_admin.ui.toasts import toast

PROGRESS = Progress(
    48_210,
    [
        Segment("Delivered", 40_000, "d1"),
        Segment("Delivered after a retry", 5_698, "d2"),
        Segment("Waiting to retry", 1_122, "d3"),
        Segment("Failed", 214, "d4", href="?state=failed"),
        Segment("Not tried yet", 1_176, "rest"),
    ],
)

LIVE = """{% load ui %}
<section class="card" id="live" data-poll hx-get="/live/" hx-trigger="every 200ms"
         hx-swap="outerHTML">
  <div class="card-head"><h2>Progress</h2>{% broadcast_pill "sending" %}</div>
  {% progress progress id="live-bar" %}{% progress_legend progress %}
  <div class="card-foot"><p class="small muted">Updates by itself.</p>
    <button class="btn quiet needs-js" type="button" id="pause" data-poll-pause>Pause
    updates</button></div>
</section>"""

PARTS = (
    """{% extends "base.html" %}{% load ui %}
{% block title %}Parts{% endblock %}
{% block breadcrumb %}{% include "ui/breadcrumb.html" with trail=trail %}{% endblock %}
{% block heading %}Parts{% endblock %}
{% block lede %}Made {% ago past %}{% endblock %}
{% block actions %}
{% button "Export" icon="download" href="/?export" %}
{% button "Retry failed" kind="primary" icon="retry" reason="Nothing failed." %}
{% endblock %}
{% block content %}
{% filters %}{{ form.search.as_field_group }}{{ form.state.as_field_group }}
{% endfilters %}
<div id="results"><section class="card"><div class="table-wrap" tabindex="0"
  role="region" aria-label="Members"><table><thead><tr>
  <th scope="col"><input type="checkbox" data-select-all="ids" aria-label="All"></th>
  <th scope="col">Name</th><th scope="col">Status</th>
  <th scope="col" class="num wide">Messages</th></tr></thead><tbody>
  {% for state in states %}<tr><td><input type="checkbox" name="ids"
  value="{{ forloop.counter }}" aria-label="Choose {{ state }}"></td>
  <td><a class="name" href="/">Ada {{ state }}</a></td>
  <td>{% message_pill state 1 %}</td><td class="num wide">{{ 1234|number }}</td></tr>
  {% endfor %}</tbody></table></div></section>{% pager page %}</div>
"""
    + LIVE.replace("{% load ui %}", "")
    + """
<section class="card"><h2>Attempts</h2><ol class="timeline">
  <li class="info"><span class="dot">{% icon "clock" %}</span><div>
  <p class="timeline-head"><strong>Attempt 2 is planned</strong> {% ago soon %}</p>
  <details><summary>Answer of the provider</summary><pre>{}</pre></details></div></li>
  <li class="bad"><span class="dot">{% icon "cross" %}</span><div>
  <p class="timeline-head"><strong>Attempt 1: failed</strong> {% ago past %}</p></div>
  </li></ol></section>
<section class="card"><h2>Actions</h2><div class="row">
  <a class="btn" id="open" {% opens_dialog "/form/" %}>Plan…</a>
  <a class="btn" id="slow" {% opens_dialog "/slow/" %}>Plan many…</a>
  <a class="btn" id="refused" {% opens_dialog "/refusal/" %}>Refused…</a>
  <button class="btn" id="tell" type="button" hx-post="/tell/" hx-swap="none">Tell
  </button>
  <button class="btn" id="stop" type="button" hx-post="/tell/" hx-swap="none"
    hx-confirm="Stop this broadcast?" data-confirm-text="What left stays."
    data-confirm-verb="Stop sending" data-confirm-keep="Keep sending">Stop…</button>
  <button class="btn" id="off" type="button" aria-disabled="true" hx-post="/tell/"
    hx-swap="none">Off</button>
  {% for name in verdicts %}{% verdict_pill name %}{% endfor %}
  </div>{% banner "warn" %}<p>The system was <a href="/">down</a>.</p>{% endbanner %}
</section>
<section class="card">{% empty title="No messages yet" icon="mail" %}
  <p>They appear when a broadcast runs.</p>{% endempty %}</section>
{% endblock %}
{% block aside %}<aside class="aside"><section class="card"><h2>Details</h2>
  <dl class="details"><dt>Channel</dt><dd>{% channel "email" %}</dd>
  <dt>Created</dt><dd>{% moment past zone=True %}</dd></dl></section></aside>
{% endblock %}"""
)


class FilterForm(forms.Form):
    search = forms.CharField(required=False, widget=forms.TextInput({"type": "search"}))
    state = forms.ChoiceField(
        required=False, choices=[("", "Any state"), ("failed", "Failed")]
    )


class PlanForm(forms.Form):
    name = forms.CharField(label="Name")
    run_at = DateTimeLocalField(label="Run at")


@login_not_required
def parts(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    page: KeysetPage[Any] = KeysetPage(rows=[], older="abc")
    context = {
        "trail": [("Broadcasts", "/")],
        "past": now - timedelta(hours=2),
        "soon": now + timedelta(minutes=80),
        "form": FilterForm(request.GET),
        "states": ["queued", "delivered", "failed"],
        "verdicts": ["retry", "wait", "fix_first", "never", "unknown"],
        "page": page,
        "progress": PROGRESS,
    }
    return HttpResponse(Template(PARTS).render(RequestContext(request, context)))


@login_not_required
def live(request: HttpRequest) -> HttpResponse:
    context = RequestContext(request, {"progress": PROGRESS})
    return HttpResponse(Template(LIVE).render(context))


@login_not_required
def plan(request: HttpRequest) -> HttpResponse:
    form = PlanForm(request.POST or None)
    if form.is_valid():
        when = moment_in_words(form.cleaned_data["run_at"])
        return close_dialog(request, "/parts/", f"Planned for {when}.")
    context = {"form": form, "page_title": "Plan a message"}
    return render_dialog(request, dialog_base(request), context)


COUNTED = Event()
"""Set once the figures of the slow dialog are there."""


@login_not_required
def slow(request: HttpRequest) -> HttpResponse:
    if may_wait(request):
        return render_waiting(request, "Plan many", "Looking at all of them.")
    assert COUNTED.wait(30)
    context = {"form": PlanForm(), "page_title": "Plan many"}
    return render_dialog(request, dialog_base(request), context)


@login_not_required
def refusal(request: HttpRequest) -> HttpResponse:
    context = {
        "form": PlanForm(),
        "page_title": "Plan a message",
        "dialog_off": "Somebody was faster.",
    }
    return render_dialog(request, dialog_base(request), context, status=409)


@login_not_required
def tell(request: HttpRequest) -> HttpResponse:
    return toast(HttpResponse(status=204), "It was done.")
