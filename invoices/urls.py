"""Where customers get their invoices: below their order's own page."""

from django.urls import re_path

from invoices import pages

app_name = "invoices"
urlpatterns = [
    re_path(
        r"^orders/(?P<token>[A-Za-z0-9_-]{32})/(?P<kind>invoice|credit-note)-(?P<number>[0-9]{1,18})\.pdf$",
        pages.document,
        name="document",
    ),
]
