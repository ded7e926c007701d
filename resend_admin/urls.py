"""Every address of the project."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import URLPattern, URLResolver, include, path

from broadcasts.graphql.door import graphql
from broadcasts.views.causes import causes
from broadcasts.views.overview import overview
from broadcasts.views.reports.page import report_csv, report_page
from resend_admin.metrics import metrics
from resend_admin.probes import healthz, readyz

urlpatterns: list[URLPattern | URLResolver] = [
    path("", overview, name="overview"),
    path("messages/causes/", causes, name="causes"),
    path("broadcasts/", include("broadcasts.urls")),
    path("graphql", graphql, name="graphql"),
    path("reports/", report_page, name="reports"),
    path("reports/<slug:chart>.csv", report_csv, name="report-csv"),
    path("", include("messaging.urls")),
    path("", include("messaging.api.urls")),
    path("", include("resend_admin.ui.urls")),
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]

handler500 = "resend_admin.ui.outage.server_error"
