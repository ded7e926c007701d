"""Every address of the project."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from broadcasts.graphql.door import graphql
from broadcasts.views.causes import causes
from broadcasts.views.explorer import explorer
from broadcasts.views.explorer_plain import explorer_plain
from broadcasts.views.overview import overview
from broadcasts.views.reports.page import report_csv, report_page
from messaging.views.sign_in import SignIn, admin_sign_in, sign_in_code
from resend_admin.metrics import metrics
from resend_admin.probes import healthz, readyz

urlpatterns: list[URLPattern | URLResolver] = [
    path("", overview, name="overview"),
    path("messages/causes/", causes, name="causes"),
    path("broadcasts/", include("broadcasts.urls")),
    path("graphql", graphql, name="graphql"),
    path("graphql/", explorer, name="graphql-explorer"),
    path("graphql/plain/", explorer_plain, name="graphql-plain"),
    path("reports/", report_page, name="reports"),
    path("reports/<slug:chart>.csv", report_csv, name="report-csv"),
    path("", include("messaging.urls")),
    path("", include("messaging.api.urls")),
    path("", include("resend_admin.ui.urls")),
    path("login/", SignIn.as_view(), name="login"),
    path("login/code/", sign_in_code, name="login-code"),
    path("logout/", LogoutView.as_view(), name="logout"),
    # Before the addresses of Django admin: its own log-in asks for a password alone.
    path("admin/login/", admin_sign_in, name="admin-login"),
    path(
        "admin/password_change/",
        RedirectView.as_view(pattern_name="messaging:account"),
        name="admin-password",
    ),
    path("admin/", admin.site.urls),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]

handler500 = "resend_admin.ui.outage.server_error"
