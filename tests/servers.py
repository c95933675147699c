"""A pytest plugin: PostgreSQL, Valkey and the mail catcher for one run, started before settings are read.

Servers that the environment names (DATABASE_URL, REDIS_URL, EMAIL_URL) are used instead. Runs side by side
don't meet: each has a data folder, ports and passwords of its own. Load it with `-p tests.servers`.
"""

import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from config import embedded

_KEY = pytest.StashKey[embedded.Servers]()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Start before pytest-django reads the settings, which ask for the addresses."""
    namespace = early_config.known_args_namespace
    if namespace.help or namespace.version:
        return (yield)
    # With `-n`, only the processes that run tests need servers; the one that hands them out needs settings.
    hands_out = getattr(namespace, "numprocesses", None) and "PYTEST_XDIST_WORKER" not in os.environ
    early_config.stash[_KEY] = servers = _servers()
    try:
        if not hands_out:
            servers.start()
        return (yield)
    except BaseException:  # no start, or broken settings or conftest: pytest_unconfigure won't be called
        pytest_unconfigure(early_config)
        raise


def _servers() -> embedded.Servers:
    folder = Path(tempfile.mkdtemp(prefix="tallyman-tests-"))
    folder.chmod(0o711)  # as root, PostgreSQL runs as another user that must get through
    os.environ["TALLYMAN_DATA_DIR"] = str(folder)
    os.environ["PAYMENT_METHODS"] = "test-card,invoice"
    return embedded.Servers(folder, without=embedded.external(os.environ))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop them however the run ends; the kernel does it when pytest itself is killed."""
    if running := config.stash.get(_KEY, None):
        running.stop()
        shutil.rmtree(running.data_dir, ignore_errors=True)


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> embedded.Servers:
    """This run's own servers, to kill and restart in fault tests."""
    running = pytestconfig.stash[_KEY]
    if missing := embedded.VARIABLES.keys() - running.processes.keys():
        pytest.skip(f"these servers are not ours to kill: {', '.join(sorted(missing))}")
    return running
