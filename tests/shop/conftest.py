"""What tests of the shop share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def own_provider(settings: Any, tmp_path: Path) -> None:
    """The test card's provider remembers nothing of other tests, and makes nobody wait."""
    settings.TEST_CARD_BOOKS = tmp_path / "test-card.sqlite3"
    settings.TEST_CARD_LATE_SECONDS = 0
