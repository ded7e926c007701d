"""Addresses of messages, members and hooks."""

from __future__ import annotations

from django.urls import URLPattern, path

from messaging.views.account import (
    account,
    account_password,
    account_recovery_codes,
    account_second_factor,
    account_second_factor_begin,
    account_second_factor_off,
    account_session_end,
    account_sessions_end,
)
from messaging.views.audio import audio_file
from messaging.views.audit import audit, audit_csv
from messaging.views.bulk import (
    bulk_cancel,
    bulk_csv,
    bulk_detail,
    bulk_list,
    bulk_progress,
)
from messaging.views.bulk_dialog import bulk_create
from messaging.views.cause_dialog import cause_resend
from messaging.views.devices import device_check
from messaging.views.embed import embedded_communications, embedded_resend
from messaging.views.hooks import hook
from messaging.views.inbound import member_history
from messaging.views.integrations import integration_resume
from messaging.views.member_import import (
    member_import,
    member_import_problems,
    member_import_template,
)
from messaging.views.members import member_detail, member_list
from messaging.views.messages import message_detail, message_list, message_standing
from messaging.views.resending import (
    message_copy,
    message_follow_up_cancel,
    message_move,
    message_resend,
    message_take_back,
)
from messaging.views.unknown import message_count, message_unknown
from messaging.views.unreadable import (
    unreadable_ask,
    unreadable_ask_one,
    unreadable_list,
)
from messaging.views.webhook_deliveries import (
    webhook_delivery,
    webhook_delivery_live,
    webhook_delivery_resend,
    webhook_detail,
    webhook_recover,
    webhook_test,
)
from messaging.views.webhooks import (
    webhook_create,
    webhook_delete,
    webhook_edit,
    webhook_list,
    webhook_rotate,
    webhook_switch,
)

app_name = "messaging"
urlpatterns: list[URLPattern] = [
    path("audit/", audit, name="audit"),
    path("audit.csv", audit_csv, name="audit-csv"),
    path("account/", account, name="account"),
    path("account/password/", account_password, name="account-password"),
    path(
        "account/second-step/begin/",
        account_second_factor_begin,
        name="account-second-factor-begin",
    ),
    path("account/second-step/", account_second_factor, name="account-second-factor"),
    path(
        "account/second-step/off/",
        account_second_factor_off,
        name="account-second-factor-off",
    ),
    path(
        "account/second-step/codes/",
        account_recovery_codes,
        name="account-recovery-codes",
    ),
    path(
        "account/sessions/<int:pk>/end/",
        account_session_end,
        name="account-session-end",
    ),
    path("account/sessions/end/", account_sessions_end, name="account-sessions-end"),
    path("messages/", message_list, name="message-list"),
    path("messages/unknown/", message_unknown, name="message-unknown"),
    path("messages/bulk/", bulk_list, name="bulk-list"),
    path("messages/bulk/new/", bulk_create, name="bulk-create"),
    path("messages/bulk/<int:pk>/", bulk_detail, name="bulk-detail"),
    path("messages/bulk/<int:pk>/progress/", bulk_progress, name="bulk-progress"),
    path("messages/bulk/<int:pk>/cancel/", bulk_cancel, name="bulk-cancel"),
    path("messages/bulk/<int:pk>/not-queued.csv", bulk_csv, name="bulk-csv"),
    path("messages/causes/resend/", cause_resend, name="cause-resend"),
    path("messages/<int:pk>/", message_detail, name="message-detail"),
    path("messages/<int:pk>/standing/", message_standing, name="message-standing"),
    path("messages/<int:pk>/resend/", message_resend, name="message-resend"),
    path("messages/<int:pk>/resend/move/", message_move, name="message-move"),
    path(
        "messages/<int:pk>/resend/cancel/",
        message_take_back,
        name="message-take-back",
    ),
    path("messages/<int:pk>/delivered/", message_count, name="message-count"),
    path("messages/<int:pk>/copy/", message_copy, name="message-copy"),
    path(
        "messages/<int:pk>/follow-up/cancel/",
        message_follow_up_cancel,
        name="message-follow-up-cancel",
    ),
    path("audio/<uuid:uid>.ogg", audio_file, name="audio-file"),
    path("unreadable/", unreadable_list, name="unreadable-list"),
    path("unreadable/ask/", unreadable_ask, name="unreadable-ask"),
    path("unreadable/<int:pk>/ask/", unreadable_ask_one, name="unreadable-ask-one"),
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
    path("members/<int:pk>/history/", member_history, name="member-history"),
    path(
        "embed/members/<path:external_id>/communications/",
        embedded_communications,
        name="embedded-communications",
    ),
    path(
        "embed/members/<path:external_id>/communications/<int:pk>/resend/",
        embedded_resend,
        name="embedded-resend",
    ),
    path(
        "integrations/<int:pk>/resume/", integration_resume, name="integration-resume"
    ),
    path("integrations/<int:pk>/check/", device_check, name="device-check"),
    path("hooks/<uuid:uid>", hook, name="hook"),
    path("webhooks/", webhook_list, name="webhook-list"),
    path("webhooks/new/", webhook_create, name="webhook-create"),
    path("webhooks/<int:pk>/", webhook_detail, name="webhook-detail"),
    path("webhooks/<int:pk>/edit/", webhook_edit, name="webhook-edit"),
    path("webhooks/<int:pk>/secret/", webhook_rotate, name="webhook-rotate"),
    path("webhooks/<int:pk>/switch/", webhook_switch, name="webhook-switch"),
    path("webhooks/<int:pk>/delete/", webhook_delete, name="webhook-delete"),
    path("webhooks/<int:pk>/test/", webhook_test, name="webhook-test"),
    path("webhooks/<int:pk>/recover/", webhook_recover, name="webhook-recover"),
    path(
        "webhooks/<int:pk>/deliveries/<int:delivery_pk>/",
        webhook_delivery,
        name="webhook-delivery",
    ),
    path(
        "webhooks/<int:pk>/deliveries/<int:delivery_pk>/live/",
        webhook_delivery_live,
        name="webhook-delivery-live",
    ),
    path(
        "webhooks/<int:pk>/deliveries/<int:delivery_pk>/again/",
        webhook_delivery_resend,
        name="webhook-delivery-resend",
    ),
]
