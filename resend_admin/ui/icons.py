"""The icons, drawn for this project on a grid of 16 by 16 with a 1.5 px stroke.

A page carries the few shapes it uses inline: they take the colour of the text
around them, need no request, and pass a policy without ``style-src`` exceptions.
"""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

SHAPES: dict[str, str] = {
    "arrow-left": '<path d="M13 8H3m4-4L3 8l4 4"/>',
    "arrow-right": '<path d="M3 8h10M9 4l4 4-4 4"/>',
    "ban": '<circle cx="8" cy="8" r="6"/><path d="m3.8 3.8 8.4 8.4"/>',
    "bars": '<path d="M3 13.5V9.5M8 13.5v-11M13 13.5v-7"/>',
    "calendar": (
        '<rect x="2.3" y="3.8" width="11.4" height="9.9" rx="1.6"/>'
        '<path d="M2.3 7.2h11.4M5.4 2v3M10.6 2v3"/>'
    ),
    "chat": '<path d="M2.3 3h11.4v8H7.6l-3.1 2.7V11H2.3z"/>',
    "check": '<path d="m3 8.6 3.3 3.3L13 4.8"/>',
    "chevron": '<path d="M6 3.5 10.5 8 6 12.5"/>',
    "clock": '<circle cx="8" cy="8" r="6"/><path d="M8 4.6V8l2.4 1.5"/>',
    "copy": (
        '<rect x="5.8" y="5.8" width="8" height="8" rx="1.5"/>'
        '<path d="M10.2 3.4v-.2a1 1 0 0 0-1-1h-6a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1h.2"/>'
    ),
    "cross": '<path d="m4 4 8 8m0-8-8 8"/>',
    "download": '<path d="M8 2.5V10M4.8 7 8 10.2 11.2 7M2.5 13.5h11"/>',
    "edit": '<path d="m3 13 .6-2.8 7.4-7.4 2.2 2.2-7.4 7.4zM9.5 4.3l2.2 2.2"/>',
    "external": '<path d="M9 2.8h4.2V7M13.2 2.8 7.5 8.5M11.5 9v4.2H2.8V4.5H7"/>',
    "filter": '<path d="M2 3.5h12M4.3 8h7.4M6.6 12.5h2.8"/>',
    "flag": '<path d="M3.5 14V2.5H12L10 5.8 12 9H3.5"/>',
    "gear": (
        '<circle cx="8" cy="8" r="2.5"/>'
        '<path d="M8 1.8v2M8 12.2v2M1.8 8h2M12.2 8h2M3.6 3.6 5 5M11 11l1.4 1.4'
        'M3.6 12.4 5 11M11 5l1.4-1.4"/>'
    ),
    "home": '<path d="M2.3 7.3 8 2.5l5.7 4.8M4 6.2v7.3h8V6.2M6.6 13.5v-4h2.8v4"/>',
    "inbox": (
        '<path d="M2.2 9.2h3.3l1 1.9h3l1-1.9h3.3M2.2 9.2 4.1 3h7.8l1.9 6.2V13H2.2z"/>'
    ),
    "info": '<circle cx="8" cy="8" r="6"/><path d="M8 7.4V11M8 5v.1"/>',
    "key": (
        '<circle cx="5.2" cy="10.8" r="2.9"/><path d="m7.3 8.7 6-6M10.6 5.4l2.1 2.1"/>'
    ),
    "link": (
        '<path d="M6.8 9.2a2.6 2.6 0 0 0 3.7 0l2.2-2.2A2.6 2.6 0 0 0 9 3.3l-.8.8'
        'M9.2 6.8a2.6 2.6 0 0 0-3.7 0L3.3 9A2.6 2.6 0 0 0 7 12.7l.8-.8"/>'
    ),
    "lock": (
        '<rect x="3.2" y="7" width="9.6" height="6.6" rx="1.5"/>'
        '<path d="M5.2 7V5.2a2.8 2.8 0 0 1 5.6 0V7"/>'
    ),
    "log-out": '<path d="M6.3 2.8H2.8v10.4h3.5M10 5l3 3-3 3M13 8H6"/>',
    "mail": (
        '<rect x="1.9" y="3.4" width="12.2" height="9.2" rx="1.4"/>'
        '<path d="M2.2 4.8 8 8.9l5.8-4.1"/>'
    ),
    "pause": '<path d="M5.7 3.8v8.4M10.3 3.8v8.4"/>',
    "people": (
        '<circle cx="6" cy="5.4" r="2.4"/><path d="M1.8 13.2c0-2.6 1.8-4.3 4.2-4.3'
        's4.2 1.7 4.2 4.3M10.4 3.3a2.3 2.3 0 0 1 0 4.2M11.8 9.2c1.5.6 2.4 2 2.4 4"/>'
    ),
    "person": (
        '<circle cx="8" cy="5.5" r="2.8"/>'
        '<path d="M2.8 13.8c0-2.9 2.2-4.8 5.2-4.8s5.2 1.9 5.2 4.8"/>'
    ),
    "phone": (
        '<rect x="4.4" y="1.8" width="7.2" height="12.4" rx="1.5"/>'
        '<path d="M7.2 11.9h1.6"/>'
    ),
    "plane": '<path d="M14 2 1.9 6.7l5.2 2.2 2.2 5.2zM14 2 7.1 8.9"/>',
    "play": '<path d="M5 3.2v9.6L12.6 8z"/>',
    "plus": '<path d="M8 3v10M3 8h10"/>',
    "question": (
        '<circle cx="8" cy="8" r="6"/>'
        '<path d="M6.2 6.3a1.9 1.9 0 1 1 2.7 1.7c-.6.3-.9.6-.9 1.2M8 11.2v.1"/>'
    ),
    "retry": '<path d="M13 8.3A5 5 0 1 1 11.5 4.5L13 6M13 2.6V6H9.6"/>',
    "search": '<circle cx="7" cy="7" r="4.6"/><path d="m10.5 10.5 3.3 3.3"/>',
    "skip": '<path d="M3.2 3.5v9L10 8zM12.6 3.5v9"/>',
    "tag": '<path d="M2.5 2.5h5.2l5.8 5.8-5.2 5.2-5.8-5.8zM5.4 5.4v.1"/>',
    "trash": '<path d="M2.8 4.3h10.4M6 4.3V2.5h4v1.8M4.2 4.3l.6 9.2h6.4l.6-9.2"/>',
    "upload": '<path d="M8 10.4V2.9M4.8 6 8 2.8 11.2 6M2.5 13.5h11"/>',
    "warning": '<path d="M8 2.3 14.3 13.3H1.7zM8 6.4v3.3M8 11.4v.1"/>',
    "wrench": (
        '<path d="M13.4 4.8 11 7.1 8.9 5 11.2 2.6A3.6 3.6 0 0 0 6.6 7.2'
        'L2.4 11.4l2.2 2.2 4.2-4.2a3.6 3.6 0 0 0 4.6-4.6z"/>'
    ),
}


def icon_svg(name: str, label: str = "", css_class: str = "") -> SafeString:
    """The shape as inline SVG; with a ``label`` it is an image with that name,
    without one it is decoration. An unknown name raises ``KeyError``."""
    shape = mark_safe(SHAPES[name])  # noqa: S308 - A constant of this module.
    classes = f"icon {css_class}".strip()
    if label:
        return format_html(
            '<svg class="{}" viewBox="0 0 16 16" role="img" aria-label="{}">{}</svg>',
            classes,
            label,
            shape,
        )
    return format_html(
        '<svg class="{}" viewBox="0 0 16 16" aria-hidden="true">{}</svg>',
        classes,
        shape,
    )
