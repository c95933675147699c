"""What all tests share."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import setup_databases, teardown_databases
from django.utils import translation
from pytest_django import DjangoDbBlocker
from whitenoise.middleware import WhiteNoiseMiddleware

from shop import caching
from tests import emptying
from tests.stack import new_database

# Tests that run whole Tallymans or thousands of cases, by the process that begins with them. The quick ones
# come after them: whichever process ends first takes some of the other's.
_LONG = (("tests/faults/",), ("tests/browser/", "tests/flows/", "tests/pollution/", "tests/bench/"))


_SMOKE = Path(__file__).parent / "smoke"


def _has_smoke(config: pytest.Config) -> bool:
    return config.pluginmanager.has_plugin("pytest_celery.plugin")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Smoke tests need pytest-celery, which only `make smoke` loads."""
    return True if collection_path == _SMOKE and not _has_smoke(config) else None


def pytest_report_header(config: pytest.Config) -> str | None:
    return None if _has_smoke(config) else "tests/smoke: left out, `make smoke` runs them"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With several processes, let the first two begin with the long tests. `worksteal` first gives each one
    an equal share of the list, in order."""
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if processes < 2:
        return
    first, second = ([one for one in items if one.nodeid.startswith(folders)] for folders in _LONG)
    quick = [one for one in items if not one.nodeid.startswith(_LONG[0] + _LONG[1])]
    middle = max(0, len(items) // processes - len(first))
    items[:] = [*first, *quick[:middle], *second, *quick[middle:]]


# In place of pytest-django's, which makes no database in a run in which no test is marked with `django_db`:
# whole Tallymans need one too.
@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_modify_db_settings: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[str]:
    """The database of the tests in this process; yields the name of a copy that none of them changes."""
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False, serialized_aliases=())
        connection.close()  # a database that is in use can't be copied
    with new_database("migrated", template=connection.settings_dict["NAME"]) as name:
        yield name
    with django_db_blocker.unblock():
        teardown_databases(made, verbosity=0)


@pytest.fixture(autouse=True, scope="session")
def quick_emptying() -> Iterator[None]:
    """What tests commit goes away by the shorter way."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        emptying.patch(monkeypatch)
        yield


@pytest.fixture(autouse=True, scope="session")
def static_files_found_once() -> Iterator[None]:
    """Each test client loads the middleware anew, and it would look through all folders of static files."""
    found: dict[str | None, dict[str, Any]] = {}
    look = WhiteNoiseMiddleware.add_files_from_finders

    def once(middleware: WhiteNoiseMiddleware) -> None:
        if middleware.static_prefix not in found:
            look(middleware)
            found[middleware.static_prefix] = dict(middleware.files)
        middleware.files.update(found[middleware.static_prefix])

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", once)
        yield


@pytest.fixture(autouse=True)
def language_of_the_shop() -> Iterator[None]:
    """A request in another language leaves that behind in its thread; the next test begins without."""
    yield
    translation.deactivate()


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    """Hash passwords carelessly: the real hasher takes its time, by design, at every login."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def own_cache(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that another test kept is found, and no failure of its Redis is remembered."""
    own = {"KEY_PREFIX": f"test-{uuid.uuid4().hex}"}
    settings.CACHES = {alias: {**cache, **own} for alias, cache in settings.CACHES.items()}
    monkeypatch.setattr(caching, "_resting_until", 0.0)
