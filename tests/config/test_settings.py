"""What settings come to, by the environment."""

from __future__ import annotations

import runpy
from typing import Any

import pytest
from django.conf import settings as running

PROTO = ("HTTP_X_FORWARDED_PROTO", "https")


def read(monkeypatch: pytest.MonkeyPatch, **environment: str) -> dict[str, Any]:
    """The settings as a process with these variables has them."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(running.BASE_DIR / "config" / "settings.py"))


@pytest.mark.parametrize(
    ("site", "proxies", "cookies", "header"),
    [
        ("http://shop.example", "1", False, None),
        ("https://shop.example", "0", True, None),
        ("https://shop.example", "1", True, PROTO),
    ],
)
def test_cookies_go_over_https_only_where_the_site_does(
    monkeypatch: pytest.MonkeyPatch, site: str, proxies: str, cookies: bool, header: object
) -> None:
    settings = read(monkeypatch, SITE_URL=site, TRUSTED_PROXY_COUNT=proxies)

    assert (settings["SESSION_COOKIE_SECURE"], settings["CSRF_COOKIE_SECURE"]) == (cookies, cookies)
    assert settings["SECURE_PROXY_SSL_HEADER"] == header
