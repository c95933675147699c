"""Sections of bench/results.md: a benchmark that is run by itself replaces its own and keeps the others."""

from __future__ import annotations

import re
from pathlib import Path

LIFE = "The life of a big catalogue"
READING = "Reading a clean file"
PAGES = "The pages of a big shop"
LOAD = "Customers buy while an import runs"
MAILS = "Mails to a server beside us"
REPORTS = "Reports of a big shop"
OBSERVING = "What being watched costs"
TITLES = (LIFE, READING, PAGES, LOAD, MAILS, REPORTS, OBSERVING)


def found(path: Path, title: str) -> list[str]:
    """The section of that title in a report, with its heading; empty where there is none, or no report."""
    sections = _pattern(title).findall(path.read_text()) if path.exists() else []
    return [f"{section.rstrip()}\n" for section in sections]


def replace(path: Path, title: str, section: str) -> None:
    """Put the section, which begins with its heading, in the place of an older one, at the report's end."""
    kept = _pattern(title).sub("", path.read_text()).rstrip() if path.exists() else ""
    path.write_text(f"{kept}\n\n{section}" if kept else section)


def _pattern(title: str) -> re.Pattern[str]:
    return re.compile(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)
