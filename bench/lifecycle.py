"""`python -m bench.lifecycle`: the whole life of a big catalogue, each step against COPY of the same rows.

Preview, load, undo, load again, changes, export, import of the export, growth: by two workers, everything
on. COPY's rows and the files are the same as in `python -m bench`. Replaces the section of its name in
bench/results.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from bench import sections
from bench.servers import own_servers
from config import embedded

BASE_DIR = Path(__file__).resolve().parent.parent
_NEW = 100_000  # rows that are added to the big catalogue
_SLOWEST = 300  # rows a second; a step slower than this is stuck
# Step → what it is, and the bound that its ratio to COPY must reach, if there is one.
_STEPS = {
    "copy": ("server-side `COPY` into the empty table", None),
    "preview": ("preview of a first import", 3.0),
    "load": ("first import, without a preview", 1.2),
    "undo": ("undo of it", 1.0),
    "again": ("first import with a preview, both together", None),
    "preview-changed": ("preview, 10 % changed", 3.0),
    "changed": ("re-import, 10 % changed", 2.2),
    "unchanged": ("the same file again", 4.0),
    "export": ("export, our own CSV", None),
    "back": ("import of the export: nothing changes", None),
    "copy-more": ("`COPY` of 100,000 new rows into twice as many products", None),
    "more": ("import of 100,000 new rows into twice as many products", 1.2),
}


def main() -> None:
    """Measure and write the section; exit code 1 when a step fails or does something else than it should."""
    parser = argparse.ArgumentParser(prog="python -m bench.lifecycle", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--out", type=Path, default=BASE_DIR / "bench" / "results.md")
    options = parser.parse_args()
    folder = embedded.data_dir(os.environ.get("TALLYMAN_DATA_DIR"), BASE_DIR) / "bench"
    with own_servers(folder):
        from bench.contenders import Failed  # its models need the settings of these servers

        try:
            taken, notes = _measured(options.rows, options.rounds, folder)
        except Failed as failed:
            sys.exit(str(failed))
    section = _section(taken, notes, options.rows, options.rounds)
    print(section)
    sections.replace(options.out, sections.LIFE, section)


def _measured(rows: int, rounds: int, folder: Path) -> tuple[dict[str, list[float]], list[str]]:
    """Rows a second of each step in each round, and what else was seen."""
    from bench import catalogue

    print(f"Making files of {rows:,} rows …", flush=True)
    files = catalogue.make(rows, folder / "files", to_verify=False)
    more = catalogue.NewRows(_NEW, folder / "files")
    taken: dict[str, list[float]] = {step: [] for step in _STEPS}
    life = _Life(files, more)
    for number in range(1, rounds + 1):
        for step, rate in life.steps():
            print(f"round {number}: {_STEPS[step][0]}: {rate:,.0f} rows/s", flush=True)
            taken[step].append(rate)
    return taken, life.notes()


class _Life:
    """One round after the other over the same files."""

    def __init__(self, files: Any, more: Any) -> None:
        from bench.tallyman import Tallyman

        self._files, self._more, self._tallyman = files, more, Tallyman(2)
        self._peak = 0
        self._answers: list[float] = []

    def steps(self) -> Iterator[tuple[str, float]]:
        """Each step with its rows a second, in order."""
        from bench.catalogue import Case, empty

        files, rows = self._files, self._files.rows
        files.prepare(Case.FIRST, files.copy_base, with_categories=True)
        yield "copy", rows / _seconds(lambda: files.copy(Case.FIRST))
        with self._at_work():
            empty()
            preview, seconds = self._previewed(files.files[Case.FIRST])
            yield "preview", rows / seconds
            self._discarded(preview)
            first = self._imported(files.files[Case.FIRST], created=rows)
            yield "load", rows / first.seconds
            yield "undo", rows / self._undone(first, rows)
            again, _ = self._previewed(files.files[Case.FIRST])
            yield "again", rows / self._approved(again, created=rows).seconds
            _settle()
            changed, same = files.changed_rows, rows - files.changed_rows
            preview, seconds = self._previewed(files.files[Case.CHANGED])
            yield "preview-changed", rows / seconds
            self._discarded(preview)
            changes = self._imported(files.files[Case.CHANGED], updated=changed, unchanged=same)
            yield "changed", rows / changes.seconds
            _settle()
            yield "unchanged", rows / self._imported(files.files[Case.CHANGED], unchanged=rows).seconds
            path, seconds = self._exported()
            yield "export", rows / seconds
            yield "back", rows / self._imported(path, unchanged=rows).seconds
            path.unlink()
            yield from self._grown()

    def _grown(self) -> Iterator[tuple[str, float]]:
        """Double the catalogue, then add rows to it, by COPY and by an import."""
        self._more.double()
        self._more.prepare()
        _settle()
        yield "copy-more", _NEW / _seconds(self._more.copy)
        self._more.remove()
        _settle()
        yield "more", _NEW / self._imported(self._more.path, created=_NEW).seconds

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        from imports.models import ImportRun

        with self._tallyman.at_work():
            _page_seconds(ImportRun.objects.latest("pk"))  # a server, too, has seldom just started
            yield
            self._peak = max(self._peak, self._tallyman.peak_bytes)

    def _previewed(self, path: Path) -> tuple[Any, float]:
        from imports.models import ImportRun

        run = self._tallyman.start(path, preview=True)
        self._wait(run, lambda: run.state == ImportRun.State.PREVIEWED)
        return run, run.seconds or 0.0

    def _approved(self, run: Any, **outcomes: int) -> Any:
        from imports import pipeline

        pipeline.approve(run=run, accept_warnings=True)
        return self._ended(run, outcomes)

    def _discarded(self, run: Any) -> None:
        from imports import pipeline

        self._ended(pipeline.discard(run=run), None)

    def _imported(self, path: Path, **outcomes: int) -> Any:
        return self._ended(self._tallyman.start(path), outcomes)

    def _undone(self, run: Any, rows: int) -> float:
        from imports import undoing

        undo = self._ended(undoing.begin(run), {"removed": rows})
        return float((undo.finished_at - undo.queued_at).total_seconds())

    def _exported(self) -> tuple[Path, float]:
        from imports import exporting

        run = exporting.start(chosen={})
        self._wait(run, lambda: run.finished_at is not None)
        path = Path(run.file.path)
        assert run.finished_at is not None
        return path, (run.finished_at - run.created_at).total_seconds()

    def _ended(self, run: Any, outcomes: dict[str, int] | None) -> Any:
        from bench.contenders import Failed

        self._wait(run, lambda: run.has_ended)
        self._tallyman.rest()
        if run.file:
            run.file.delete(save=False)
        found = {name: count for name, count in run.outcomes.items() if count}
        if outcomes is not None and (run.state != "completed" or found != outcomes):
            raise Failed(f"{run} is {run.state} with {found} instead of {outcomes}. {run.error}")
        return run

    def _wait(self, run: Any, over: Callable[[], bool]) -> None:
        """Until it is `over`; meanwhile ask for its live page, as a browser does."""

        def is_over() -> bool:
            run.refresh_from_db()
            self._look(run)
            return over()

        self._tallyman.wait_for(is_over, f"{run}", 120 + 3 * self._files.rows / _SLOWEST)

    def _look(self, run: Any) -> None:
        from imports.models import ImportRun

        if isinstance(run, ImportRun) and not run.has_ended:
            self._answers.append(_page_seconds(run))

    def notes(self) -> list[str]:
        """What was seen besides the rates."""
        return [
            f"Peak memory of a worker, over all steps: {self._peak / 1e6:.0f} MB.",
            f"The live page answered {len(self._answers):,} times meanwhile: median"
            f" {median(self._answers) * 1000:.0f} ms, longest {max(self._answers) * 1000:.0f} ms.",
        ]


def _page_seconds(run: Any) -> float:
    """How long the part of the page takes that a browser asks for each second, view and template."""
    from django.contrib.auth import get_user_model
    from django.test import RequestFactory

    from imports.pages import watching

    user = get_user_model()(is_staff=True, is_superuser=True, username="bench")
    request = RequestFactory().get("/")
    request.user = user
    return _seconds(lambda: watching.fragment(request, run))


def _seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def _settle() -> None:
    """Fresh statistics and nothing to write back, as between the steps of `python -m bench`."""
    from bench.catalogue import settle

    settle()


def _section(taken: dict[str, list[float]], notes: list[str], rows: int, rounds: int) -> str:
    lines = [
        f"## {sections.LIFE}\n",
        f"`python -m bench.lifecycle`: {rows:,} rows, medians of {rounds} round(s), two workers,"
        " everything on. The steps follow each\nother over one catalogue; × COPY is against the first line,"
        " that of the last step against the line before it.\n"
        f"The last two begin with {2 * rows:,} products.\n",
        "| step | rows/s | × COPY | bound |",
        "| --- | ---: | ---: | ---: |",
    ]
    for step, rates in taken.items():
        label, bound = _STEPS[step]
        against = taken["copy-more" if step == "more" else "copy"]
        ratio = median(rate / base for rate, base in zip(rates, against, strict=True))
        shown = f"≥ {bound:g}, {'reached' if ratio >= bound else 'missed'}" if bound else "–"
        lines.append(f"| {label} | {median(rates):,.0f} | {ratio:.2f} | {shown} |")
    return "\n".join([*lines, "", *notes]) + "\n"


if __name__ == "__main__":
    main()
