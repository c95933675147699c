"""What `make audit` makes of what pip-audit says; the asking itself needs a network."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tools.audit import judge

FLAW = {"id": "PYSEC-1", "aliases": ["CVE-2099-1"], "fix_versions": ["6.0.99"]}


def told(*dependencies: dict[str, Any]) -> tuple[list[str], int]:
    said, code = judge(json.dumps({"dependencies": dependencies, "fixes": []}), "")
    return said.splitlines(), code


def one(name: str, *flaws: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "version": "1.0", "vulns": list(flaws)}


def test_vulnerability_with_a_fix_fails_and_names_it() -> None:
    lines, code = told(one("celery"), one("django", FLAW))

    assert (lines[0], code) == (
        "django 1.0: PYSEC-1, CVE-2099-1; fixed in 6.0.99: `make lock UPGRADE=1`",
        1,
    )


def test_vulnerability_without_a_fix_is_a_warning() -> None:
    lines, code = told(one("django", FLAW | {"fix_versions": []}))

    assert (lines[0], code) == ("django 1.0: PYSEC-1, CVE-2099-1; WARNING: no fixed version yet", 0)


def test_dependency_of_which_nothing_is_known_is_not_counted_as_audited() -> None:
    assert told(one("celery"), {"name": "ours", "skip_reason": "not found"}) == (
        [
            "WARNING: nothing is known of ours.",
            "1 dependencies audited: 0 known vulnerabilities, 0 of them fixed in newer versions.",
        ],
        0,
    )


@pytest.mark.parametrize(
    ("errors", "code", "begin"),
    [
        (
            "Traceback\nrequests.exceptions.ConnectionError: Failed to resolve 'osv'",
            0,
            "WARNING: dependencies",
        ),
        ("error: Failed to fetch: `https://registry`", 0, "WARNING: dependencies were not audited"),
        (
            "pip-audit: error: unrecognized arguments: --osv",
            1,
            "pip-audit could not be run. pip-audit: error",
        ),
        ("", 1, "pip-audit could not be run. pip-audit said nothing"),
    ],
)
def test_shut_network_is_told_and_anything_else_that_stops_it_fails(
    errors: str, code: int, begin: str
) -> None:
    said, found = judge("", errors)

    assert (found, said.startswith(begin)) == (code, True)
