"""What settings come to, by the environment."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as running
from django.test import Client

from config import checks

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


@pytest.mark.parametrize(
    ("site", "proxies", "redirect"),
    [
        ("http://shop.example", "1", False),
        ("https://shop.example", "0", False),
        ("https://shop.example", "1", True),
    ],
)
def test_visitors_are_led_to_https_only_where_it_can_be_told_from_http(
    monkeypatch: pytest.MonkeyPatch, site: str, proxies: str, redirect: bool
) -> None:
    assert read(monkeypatch, SITE_URL=site, TRUSTED_PROXY_COUNT=proxies)["SECURE_SSL_REDIRECT"] is redirect


def test_probes_and_prometheus_are_answered_without_https(client: Client, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT, settings.SECURE_PROXY_SSL_HEADER = True, PROTO
    settings.SECURE_HSTS_SECONDS = 3600

    plain = {path: client.get(path).status_code for path in ("/healthz", "/metrics", "/admin/login/")}
    secure = client.get("/healthz", headers={"X-Forwarded-Proto": "https"})

    assert plain == {"/healthz": 200, "/metrics": 403, "/admin/login/": 301}
    assert secure.headers["Strict-Transport-Security"] == "max-age=3600"


COMPLETE = {
    "DATABASE_URL": "postgres://tallyman:secret@db.example/tallyman",
    "REDIS_URL": "redis://:secret@broker.example/0",
    "EMAIL_URL": "smtp+tls://tallyman:secret@mail.example:587",
    "SECRET_KEY": "".join(map(chr, range(40, 120))),
    "ALLOWED_HOSTS": "shop.example",
    "SITE_URL": "https://shop.example",
    "FLOWER_URL": "https://shop.example/flower",
    "TRUSTED_PROXY_COUNT": "1",
    "DEFAULT_FROM_EMAIL": "The shop <shop@shop.example>",
    "SHOP_EMAIL": "shop@shop.example",
    "BANK_ACCOUNT": "DE02 1203 0000 0000 2020 51",
    "SELLER_ADDRESS": r"Mill Lane 1\n12345 Town",
}


def checked(folder: Path, **environment: str) -> tuple[int, str, set[str]]:
    """Exit code, words, and ids of what is found by `check --deploy` with these variables alone."""
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=running.BASE_DIR,
        env={"PATH": os.environ["PATH"], "TALLYMAN_DATA_DIR": str(folder), **environment},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    return done.returncode, said, set(re.findall(r"\(([\w.]+\.[EW]\d+)\)", said))


def test_deploy_check_finds_nothing_in_a_complete_environment(tmp_path: Path) -> None:
    assert checked(tmp_path, **COMPLETE) == (0, "System check identified no issues (2 silenced).\n", set())


def test_deploy_check_names_what_is_missing(tmp_path: Path) -> None:
    code, said, found = checked(tmp_path, SITE_URL="https://shop.example")

    assert (code, found) == (
        1,
        {"config.W001", "config.W003", "config.W004", "config.W005"}
        | {"security.W008", "shop.W001", "invoices.W001"},
    )
    assert "Not set: DATABASE_URL, REDIS_URL, EMAIL_URL, SECRET_KEY, ALLOWED_HOSTS." in said
    assert "ALLOWED_HOSTS has no shop.example" in said
    assert "DEFAULT_FROM_EMAIL is tallyman@localhost and SHOP_EMAIL is shop@localhost" in said
    assert [
        name for name in ("BANK_ACCOUNT", "SELLER_ADDRESS", "TRUSTED_PROXY_COUNT") if name not in said
    ] == []


def test_deploy_check_warns_of_a_site_without_https(settings: Any) -> None:
    settings.SITE_URL, settings.ALLOWED_HOSTS = "http://shop.example", ["shop.example"]

    assert [one.id for one in checks.site_can_be_visited()] == ["config.W002"]
