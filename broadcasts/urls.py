"""Addresses below /broadcasts/."""

from __future__ import annotations

from django.urls import URLPattern, path

from broadcasts.views import actions, detail, editing, exports, lists, overview, retries

app_name = "broadcasts"
urlpatterns: list[URLPattern] = [
    path("", lists.broadcast_list, name="broadcast-list"),
    path("new/", editing.broadcast_create, name="broadcast-create"),
    path("audience/", editing.audience_preview, name="audience-preview"),
    path("running/", overview.overview_running, name="overview-running"),
    path("needs/", overview.overview_needs, name="overview-needs"),
    path("<int:pk>/", detail.broadcast_detail, name="broadcast-detail"),
    path("<int:pk>/progress/", detail.broadcast_progress, name="broadcast-progress"),
    path("<int:pk>/chain/", detail.broadcast_chain, name="broadcast-chain"),
    path("<int:pk>/chain.csv", detail.chain_csv, name="broadcast-chain-csv"),
    path("<int:pk>/failed.csv", exports.failed_csv, name="broadcast-failed-csv"),
    path("<int:pk>/retry/", retries.broadcast_retry, name="broadcast-retry"),
    path("<int:pk>/edit/", editing.broadcast_edit, name="broadcast-edit"),
    path("<int:pk>/routes/", actions.broadcast_routes, name="broadcast-routes"),
    path("<int:pk>/schedule/", actions.broadcast_schedule, name="broadcast-schedule"),
    path("<int:pk>/cancel/", actions.broadcast_cancel, name="broadcast-cancel"),
    path("<int:pk>/clone/", actions.broadcast_clone, name="broadcast-clone"),
    path("<int:pk>/delete/", actions.broadcast_delete, name="broadcast-delete"),
]
