"""Addresses of messages, members and hooks."""

from __future__ import annotations

from django.urls import URLPattern, path

from messaging.views.hooks import hook
from messaging.views.member_import import (
    member_import,
    member_import_problems,
    member_import_template,
)
from messaging.views.members import member_detail, member_list
from messaging.views.messages import message_detail, message_list, message_standing

app_name = "messaging"
urlpatterns: list[URLPattern] = [
    path("messages/", message_list, name="message-list"),
    path("messages/<int:pk>/", message_detail, name="message-detail"),
    path("messages/<int:pk>/standing/", message_standing, name="message-standing"),
    path("members/", member_list, name="member-list"),
    path("members/import/", member_import, name="member-import"),
    path(
        "members/import/problems/",
        member_import_problems,
        name="member-import-problems",
    ),
    path(
        "members/import/template/",
        member_import_template,
        name="member-import-template",
    ),
    path("members/<int:pk>/", member_detail, name="member-detail"),
    path("hooks/<uuid:uid>", hook, name="hook"),
]
