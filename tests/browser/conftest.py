"""A real Chromium: an absent one skips these tests, or fails them where TALLYMAN_REQUIRE_BROWSER=1."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.stack import Stack, copied_stack, migrated_database  # noqa: F401

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ABSENT = "No Chromium was found. Install it (`apt install chromium` or `playwright install chromium`)."
_STAFF = """
from django.contrib.auth.models import Permission, User
user = User.objects.create_user("staff", password="a long password", is_staff=True)
views = ["view_importrun", "view_product", "view_productimage", "view_category"]
may = ["add_importrun", "undo_import", "add_exportrun", "change_product", *views]
user.user_permissions.set(Permission.objects.filter(codename__in=may))
"""

type Visit = Callable[..., Page]


# Of a module, not of the session: its event loop would bar later tests in this process from the database.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = _executable(playwright)
        if path is None:
            required = os.environ.get("TALLYMAN_REQUIRE_BROWSER") == "1"
            pytest.fail(_ABSENT) if required else pytest.skip(_ABSENT)
        # Its sandbox does not work for root, and it only sees our own pages.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def _executable(playwright: Playwright) -> str | None:
    own = playwright.chromium.executable_path
    installed = own if Path(own).exists() else None
    return next(filter(None, map(shutil.which, _NAMES)), installed)


@pytest.fixture(scope="session")
def staffed(migrated_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:  # noqa: F811
    """Name of a database with a staff member who may import."""
    with copied_stack(migrated_database, tmp_path_factory.mktemp("staffed")) as stack:
        done = stack.manage("shell", "-c", _STAFF)
        assert done.returncode == 0, done.stderr
        yield urlsplit(stack.database_url).path[1:]


@pytest.fixture
def stack(staffed: str, tmp_path: Path) -> Iterator[Stack]:
    """A Tallyman with a staff member of which nothing runs yet."""
    with copied_stack(staffed, tmp_path) as stack:
        yield stack


@pytest.fixture
def visit(chromium: Browser, stack: Stack) -> Iterator[Visit]:
    """A function that opens an admin page as a staff member who may import; options are the browser's.

    The web server and a worker run; one at a time it does many small jobs, so that progress can be seen.
    """
    stack.environment |= {
        "IMPORT_CHUNK_BYTES": "200000",
        "IMPORT_RANGE_ROWS": "1000",
        "WORKER_CONCURRENCY": "1",
    }
    worker = stack.launch("worker")
    stack.start_web()
    worker.wait_ready(60)
    contexts = []

    def open_page(path: str, **options: Any) -> Page:
        contexts.append(chromium.new_context(base_url=stack.url, **options))
        page = contexts[-1].new_page()
        page.goto(f"/admin/login/?next=/admin/{path}")
        page.locator("#id_username").fill("staff")
        page.locator("#id_password").fill("a long password")
        page.locator("#id_password").press("Enter")
        page.wait_for_url(f"**/admin/{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()
