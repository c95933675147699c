"""What a contender is, and the ones besides Tallyman: COPY, the limit, and the ways of the ORM."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.catalogue import Case, Catalogue

BASE_DIR = Path(__file__).resolve().parent.parent


class Failed(Exception):  # noqa: N818 - it ends the benchmark
    """A contender could not do its work; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Phase:
    """Jobs of one kind in an import; `starts` and `ends` in seconds since it was confirmed.

    `busy` is the sum of the jobs' seconds: with two workers up to twice the time between the two.
    """

    kind: str
    jobs: int
    starts: float
    ends: float
    busy: float


@dataclass(frozen=True, slots=True)
class Taken:
    """What one import took; no `peak_bytes` where no process of ours did the work."""

    seconds: float
    peak_bytes: int | None = None
    phases: tuple[Phase, ...] = ()


class Contender(Protocol):
    """A way to import a file: `label` is what people read (Markdown), `cases` are measured in this order.

    `with_categories`: even a first import finds the categories there.
    """

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def cases(self) -> tuple[Case, ...]: ...
    @property
    def with_categories(self) -> bool: ...

    def attempt(self, catalogue: Catalogue, case: Case) -> Taken:
        """Import the file of `case` into the prepared tables; raises Failed."""

    def load_base(self, catalogue: Catalogue) -> None:
        """Fill the empty tables with the products of a re-import; its time does not count."""

    def at_work(self) -> AbstractContextManager[object]:
        """What must run meanwhile."""


class Copy:
    """Server-side COPY of prepared rows: as fast as this server can fill these tables with this file."""

    name = "copy"
    label = "server-side `COPY`, the limit"
    cases = (Case.FIRST,)
    with_categories = True

    def attempt(self, catalogue: Catalogue, case: Case) -> Taken:
        """The statement alone: slugs and category ids were found out beforehand."""
        began = time.perf_counter()
        catalogue.copy(case)
        return Taken(time.perf_counter() - began)

    def load_base(self, catalogue: Catalogue) -> None:
        catalogue.copy_base()

    def at_work(self) -> AbstractContextManager[object]:
        return nullcontext()


class Orm:
    """One of the ways in `bench.orm`, in a process of its own, so that its memory is its own too."""

    cases = (Case.FIRST, Case.CHANGED)
    with_categories = True

    def __init__(self, name: str, label: str) -> None:
        self.name, self.label = name, label

    def attempt(self, catalogue: Catalogue, case: Case) -> Taken:
        """The time is taken in that process, once it is connected."""
        done = subprocess.run(
            [sys.executable, "-m", "bench.child", self.name, case, str(catalogue.files[case])],
            cwd=BASE_DIR,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Failed(f"{self.name} ended with code {done.returncode}: {done.stderr.strip()[-1000:]}")
        return Taken(**json.loads(done.stdout))

    def load_base(self, catalogue: Catalogue) -> None:
        catalogue.copy_base()

    def at_work(self) -> AbstractContextManager[object]:
        return nullcontext()
