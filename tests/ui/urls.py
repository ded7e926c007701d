"""Addresses for the tests of the shared pieces, apart from the project's pages."""

from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path

from tests.ui import parts


def front(request: HttpRequest) -> HttpResponse:
    return render(request, "base.html")


urlpatterns = [
    path("", front, name="overview"),
    path("login/", LoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("", include("resend_admin.ui.urls")),
    path("parts/", parts.parts),
    path("live/", parts.live),
    path("form/", parts.plan),
    path("slow/", parts.slow),
    path("refusal/", parts.refusal),
    path("tell/", parts.tell),
]
