"""Addresses: the admin holds the import pages; `/healthz` says that this process answers."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.generic import RedirectView


def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 `ok` without touching database or broker: the process lives."""
    return HttpResponse("ok\n", content_type="text/plain")


urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("healthz", healthz, name="healthz"),
    path("admin/", admin.site.urls),
]
