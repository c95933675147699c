"""Imports with a preview, run in this process."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError

from imports import pipeline
from imports.models import ImportRun
from tests.imports.running import confirm, work


def preview(content: Any, **options: Any) -> ImportRun:
    """An import that waits for its approval."""
    run = work(confirm(content, preview=True, **options))
    assert run.state == "previewed"
    return run


def approved(run: ImportRun) -> ImportRun:
    """The import, written."""
    return work(pipeline.approve(run=run, accept_warnings=True), forgive=IntegrityError)


def counted(run: ImportRun) -> dict[str, Any]:
    """The figures of the forecast that are not 0."""
    return {name: figure for name, figure in run.forecast.items() if figure and name != "categories"}
