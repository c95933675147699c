"""docs/operations.md: every variable with its default, every playbook, and links that lead somewhere."""

from __future__ import annotations

import re
from ast import literal_eval
from functools import cache

import pytest
from django.conf import settings

from config.supervisor import read_procfile
from monitoring.handbook import anchor

ROOT = settings.BASE_DIR
DOCUMENT = ROOT / "docs" / "operations.md"


@cache
def table() -> dict[str, str]:
    """Each variable's default, as the document has it."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*?) \| (.+) \|$", DOCUMENT.read_text(), re.MULTILINE)
    assert all(len(meaning) > 3 for _, _, meaning in rows)
    assert len({name for name, *_ in rows}) == len(rows)
    return {name: default for name, default, _ in rows}


def test_every_variable_is_in_the_document_and_no_other() -> None:
    settings_ = (ROOT / "config/settings.py").read_text()
    asked = set(re.findall(r'(?:env\.\w+|_port)\(\s*"([A-Z_]+)"', settings_))
    named = set(re.findall(r"^# ([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    of_processes = set(re.findall(r"\$\{?([A-Z_]+)", " ".join(read_procfile(ROOT / "Procfile").values())))

    assert table().keys() == asked | named
    assert of_processes <= table().keys()


def test_defaults_are_those_of_the_settings() -> None:
    source = (ROOT / "config/settings.py").read_text()
    asked = r'(?:env\.(?:int|float|str|bool)|_port)\(\s*"([A-Z_]+)", (?:default=)?(.+?),?\s*\)(?:\s|$|\.)'
    found = re.findall(asked, source)
    simple = {
        name: default for name, default in found if re.fullmatch(r'[\d_.]+|"[^"]*"|True|False', default)
    }
    assert len(simple) > 75
    told = {name: str(literal_eval(default)) for name, default in simple.items()}

    wrong = {name: (default, table()[name]) for name, default in told.items()
             if _plain(default) != _plain(table()[name])}  # fmt: skip

    assert wrong == {}


def _plain(value: str) -> str:
    """Numbers and truths alike, however they are written: 5 and 5.0, True and true."""
    return f"{float(value):.9g}" if re.fullmatch(r"[\d.]*\d", value) else value.lower()


@pytest.mark.parametrize(
    "title",
    ["Install", "Configuration", "Upgrade", "Backup and restore", "Scaling out workers", "Stuck import",
     "No worker on a queue", "Full disk", "Poisoned job", "Wrong import", "Mail provider down",
     "Beat is silent"],
)  # fmt: skip
def test_section_is_there_with_something_in_it(title: str) -> None:
    [section] = re.findall(rf"^##+ {title}\n(.*?)(?=^## |^### |\Z)", DOCUMENT.read_text(), re.M | re.S)

    assert len(section) > 100


def test_anchors_are_unique_and_files_that_it_links_exist() -> None:
    text = DOCUMENT.read_text()
    anchors = [anchor(title) for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)]
    links = re.findall(r"\]\(([^)#]+)\)", text)

    assert len(set(anchors)) == len(anchors)
    assert [link for link in links if not (DOCUMENT.parent / link).exists()] == []
