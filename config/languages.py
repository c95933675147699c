"""Which language a request is answered in."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.urls import reverse
from django.utils import translation


class ReadersLanguage(LocaleMiddleware):
    """The one that the visitor chose, else the first of the browser's that the shop has. The admin is apart.

    Staff who look at the shop in Arabic have an English admin: its texts are in no catalogue, so it would be
    half translated, and what it writes down would be in whatever language somebody had just looked at.
    """

    def process_request(self, request: HttpRequest) -> None:
        if not request.path_info.startswith(reverse("admin:index")):
            super().process_request(request)
            return
        translation.activate(settings.LANGUAGE_CODE)
        request.LANGUAGE_CODE = translation.get_language()
