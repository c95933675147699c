"""Addresses: the storefront; the admin with the import pages; `/healthz` says that this process answers."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from notifications import webhooks


def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 `ok` without touching database or broker: the process lives."""
    return HttpResponse("ok\n", content_type="text/plain")


urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("admin/", admin.site.urls),
    path("account/", include("allauth.account.urls")),
    path("account/2fa/", include("allauth.mfa.urls")),
    path("", include("invoices.urls")),
    path("webhooks/mail/", webhooks.webhook, name="mail_webhook"),
    path("", include("shop.urls")),
]
