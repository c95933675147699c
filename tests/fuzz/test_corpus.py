"""Inputs that once crashed the reader, and some of each kind of file, are read or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.checking import check

CORPUS = sorted((Path(__file__).resolve().parent / "corpus").iterdir())


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_kept_case_is_refused_or_read_with_every_line_accounted_for(path: Path) -> None:
    check(path.read_bytes())
