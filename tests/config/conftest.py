"""A data folder of a test's own, beside the one that the whole run uses."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Reachable for PostgreSQL's own user, which pytest's `tmp_path` is not."""
    folder = Path(tempfile.mkdtemp(prefix="tallyman-config-"))
    folder.chmod(0o711)
    yield folder
    link = folder / "postgres"
    if link.is_symlink():
        shutil.rmtree(link.resolve().parent)
    shutil.rmtree(folder)


@pytest.fixture
def elsewhere() -> dict[str, str]:
    """An environment in which no server is ours to run."""
    urls = {"DATABASE_URL": "postgres://h/d", "REDIS_URL": "redis://h", "EMAIL_URL": "smtp://h"}
    return {"PATH": os.environ["PATH"], **urls}
