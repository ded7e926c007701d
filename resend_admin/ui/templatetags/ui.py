"""``{% load ui %}``: the pieces pages are made of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from resend_admin.ui import numbers, pills, time_zones
from resend_admin.ui.dialogs import DIALOG_ID
from resend_admin.ui.icons import icon_svg
from resend_admin.ui.keyset import KeysetPage
from resend_admin.ui.progress import Progress

register = template.Library()


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """``{% icon "retry" %}``; with a label it is an image of that name."""
    return icon_svg(name, label)


@register.simple_tag
def pill(label: str, tone: str = "idle", icon: str = "info") -> SafeString:
    """``{% pill "Paused" "idle" "pause" %}``. Tones: ok, info, warn, bad, idle."""
    return pills.pill_html(pills.Pill(label, tone, icon))


@register.simple_tag
def message_pill(state: str, attempt_count: int = 0) -> SafeString:
    """``{% message_pill message.state message.attempt_count %}``"""
    return pills.pill_html(pills.message_pill(state, attempt_count))


@register.simple_tag
def broadcast_pill(state: str) -> SafeString:
    """``{% broadcast_pill broadcast.state %}``"""
    return pills.pill_html(pills.broadcast_pill(state))


@register.simple_tag
def verdict_pill(error_class: str, label: str = "") -> SafeString:
    """Will sending again help? ``{% verdict_pill cause.error_class %}``"""
    verdict = pills.verdict_pill(error_class)
    return pills.pill_html(verdict._replace(label=label) if label else verdict)


@register.simple_tag
def channel(name: str) -> SafeString:
    """``{% channel message.channel %}``: its icon and its name."""
    label, shape = pills.CHANNELS.get(name, (pills.channel_name(name), "chat"))
    return format_html(
        '<span class="channel">{}{}</span>', icon_svg(shape, css_class=name), label
    )


@register.filter
def number(value: float | None) -> str:
    """``{{ count|number }}``: 12,345"""
    return numbers.grouped(value)


@register.filter
def percent(part: float | None, whole: float | None) -> str:
    """``{{ delivered|percent:total }}``: 95 %"""
    return numbers.percent_text(part, whole)


@register.filter
def plural(count: int, words: str) -> str:
    """``{{ count|plural:"message,messages" }}``: 1 message; 12,345 messages"""
    one, many = words.split(",")
    return f"{numbers.grouped(count)} {one if count == 1 else many}"


def _time_element(moment: datetime, text: str, title: str) -> SafeString:
    machine = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return format_html('<time datetime="{}" title="{}">{}</time>', machine, title, text)


@register.simple_tag
def ago(moment: datetime | None) -> SafeString | str:
    """``{% ago message.updated_at %}``: 2 hours ago, the moment itself as a title."""
    if not moment:
        return numbers.DASH
    title = f"{time_zones.absolute(moment)} ({time_zones.zone_name()})"
    return _time_element(moment, time_zones.relative(moment), title)


@register.simple_tag
def moment(moment: datetime | None, zone: bool = False) -> SafeString | str:
    """``{% moment broadcast.run_at zone=True %}``: 21 Nov 2026, 16:34
    (Europe/Amsterdam). For detail pages; lists use ``ago``."""
    if not moment:
        return numbers.DASH
    element = _time_element(
        moment, time_zones.absolute(moment), time_zones.relative(moment)
    )
    if not zone:
        return element
    name = time_zones.zone_name()
    return format_html('{} <span class="zone">({})</span>', element, name)


@register.filter
def in_words(moment: datetime | None) -> str:
    """``{{ run_at|in_words }}``: 1 Dec at 18:30 (Europe/Amsterdam)"""
    return time_zones.moment_in_words(moment) if moment else numbers.DASH


@register.inclusion_tag("ui/progress.html")
def progress(
    progress: Progress, id: str = "bar", label: str = "Progress", small: bool = False
) -> dict[str, Any]:
    """``{% progress broadcast.progress id="progress-bar" %}``: the bar alone."""
    return {"progress": progress, "id": id, "label": label, "small": small}


@register.inclusion_tag("ui/legend.html")
def progress_legend(progress: Progress) -> dict[str, Any]:
    """The numbers below the bar, in the order of its segments."""
    return {"progress": progress}


@register.inclusion_tag("ui/button.html")
def button(label: str, **options: Any) -> dict[str, Any]:
    """A button, or a link that looks like one; switched off when it has a reason.

    ``kind`` primary, danger, quiet or nothing · ``icon`` · ``reason`` why it is off:
    visible below it · ``href`` · ``dialog`` address of a form that opens as a dialog
    (a plain link without JavaScript) · ``type``, ``name``, ``value``, ``form``, ``id``,
    ``command``, ``commandfor``.
    """
    identity = options.get("id") or "button-" + "-".join(
        "".join(c if c.isalnum() else " " for c in label.lower()).split()
    )
    href = options.get("dialog") or options.get("href")
    return {
        "label": label,
        "type": "button",
        "dialog_id": DIALOG_ID,
        **options,
        "id": identity,
        "href": href,
    }


@register.simple_tag
def opens_dialog(url: str) -> SafeString:
    """Attributes for ``<a>``: its form opens as a dialog, or as a page without
    JavaScript. ``<a {% opens_dialog url %}>Cancel…</a>``"""
    return format_html(
        'href="{0}" hx-get="{0}" hx-target="#{1}" hx-swap="innerHTML"', url, DIALOG_ID
    )


@register.inclusion_tag("ui/pager.html", takes_context=True)
def pager(context: template.Context, page: KeysetPage[Any]) -> dict[str, Any]:
    """``{% pager page %}``: Newer and Older; every other parameter stays."""
    return {"page": page, "request": context.get("request")}


@register.simple_block_tag(takes_context=True)
def filters(
    context: template.Context, content: str, action: str = "", target: str = "results"
) -> SafeString:
    """A form whose fields live in the URL. With JavaScript a change replaces
    ``#target`` (taken out of the whole page the view answers); without, Apply does.

    ``{% filters target="results" %}{{ filter.form }}{% endfilters %}``
    """
    request = context.get("request")
    return render_to_string(
        "ui/filters.html",
        {
            "content": content,
            "action": action or getattr(request, "path", ""),
            "target": target,
            "is_filtered": _is_filtered(request),
        },
    )


def _is_filtered(request: Any) -> bool:
    paging = {"older", "newer"}
    params = getattr(request, "GET", {})
    return any(value for name, value in params.items() if name not in paging)


@register.simple_block_tag
def empty(content: str, title: str, icon: str = "inbox") -> SafeString:
    """What the emptiness means, and one way out of it, in the block."""
    return format_html(
        '<div class="empty">{}<p class="title">{}</p>{}</div>',
        icon_svg(icon),
        title,
        content,
    )


@register.simple_block_tag
def banner(content: str, tone: str = "info", icon: str = "") -> SafeString:
    """``{% banner "warn" %}<p>…</p>{% endbanner %}``"""
    shapes = {"ok": "check", "warn": "warning", "bad": "warning", "idle": "info"}
    shape = icon or shapes.get(tone, "info")
    return format_html(
        '<div class="banner {}">{}<div>{}</div></div>', tone, icon_svg(shape), content
    )


@register.simple_block_tag
def dialog(content: str, id: str, title: str) -> SafeString:
    """A dialog that is already on the page, opened by a button with
    ``command="show-modal" commandfor="<id>"``."""
    return format_html(
        '<dialog class="dialog" id="{0}" aria-labelledby="{0}-title">'
        '<h2 id="{0}-title">{1}</h2>{2}</dialog>',
        id,
        title,
        content,
    )
