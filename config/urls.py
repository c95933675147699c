"""Addresses: the storefront; the admin with the import pages. And what answers when something goes wrong.
`/healthz` and `/readyz` are answered before these are asked (monitoring/probes.py)."""

from django.contrib import admin
from django.urls import include, path

from monitoring import pages as monitoring_pages
from notifications import webhooks

urlpatterns = [
    path("admin/", admin.site.urls),
    path("account/", include("allauth.account.urls")),
    path("account/2fa/", include("allauth.mfa.urls")),
    path("", include("invoices.urls")),
    path("metrics", monitoring_pages.metrics, name="metrics"),
    path("webhooks/mail/", webhooks.webhook, name="mail_webhook"),
    path("", include("shop.urls")),
]

handler400 = "config.error_pages.bad_request"
handler403 = "config.error_pages.permission_denied"
handler429 = "config.error_pages.too_many_requests"  # allauth asks for it
handler500 = "config.error_pages.server_error"
