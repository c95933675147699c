"""What tests of accounts share."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from config import cache


@pytest.fixture(autouse=True)
def own_cache(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts of other tests don't count, and no failure of their Redis is remembered."""
    own = {"KEY_PREFIX": f"test-{uuid.uuid4().hex}"}
    settings.CACHES = {alias: {**one, **own} for alias, one in settings.CACHES.items()}
    monkeypatch.setattr(cache._rest, "until", 0.0)
