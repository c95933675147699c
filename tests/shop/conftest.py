"""What tests of the shop share."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from shop import caching


@pytest.fixture(autouse=True)
def own_cache(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that another test kept is found, and no failure of its Redis is remembered."""
    own = {"KEY_PREFIX": f"test-{uuid.uuid4().hex}"}
    settings.CACHES = {alias: {**cache, **own} for alias, cache in settings.CACHES.items()}
    monkeypatch.setattr(caching, "_resting_until", 0.0)


@pytest.fixture(autouse=True)
def own_provider(settings: Any, tmp_path: Path) -> None:
    """The test card's provider remembers nothing of other tests, and makes nobody wait."""
    settings.TEST_CARD_BOOKS = tmp_path / "test-card.sqlite3"
    settings.TEST_CARD_LATE_SECONDS = 0
