"""What all tests share."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from shop import caching


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
