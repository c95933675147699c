"""Tallyman as it runs in production: its own worker processes, told through Valkey, with everything on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db.models import Count, DurationField, ExpressionWrapper, F, Max, Min, Sum

from bench.catalogue import Case, Catalogue
from bench.contenders import Failed, Phase, Taken
from bench.memory import peak_of_tree
from bench.servers import started
from config.processes import Process
from imports import pipeline, receiving
from imports.models import ImportRun
from tasks.models import Job

_POLL_SECONDS = 0.3  # looking costs a few milliseconds of a CPU that the workers need
_SLOWEST = 300  # rows a second; an import slower than this is stuck
_SEARCH = "search"  # a queue


class Tallyman:
    """The real pipeline with `workers` Celery nodes of one child each. Beat, mail and task results are on.

    Re-imports go over products that it imported itself or, if `foreign`, that something else wrote. What the
    search has to read again after an import is left undone unless `search`: `bench.pages` measures it.
    `variables` are added to the workers' environment.
    """

    with_categories = False

    def __init__(
        self,
        workers: int,
        *,
        cases: tuple[Case, ...] = tuple(Case),
        foreign: bool = False,
        search: bool = False,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.name = f"tallyman-{workers}{'-foreign' if foreign else ''}"
        self.label = f"**Tallyman, {workers} worker{'s' if workers > 1 else ''}**"
        self._foreign, self._search = foreign, search
        if foreign:
            self.label += ", over products of other origin"
        self.cases = cases
        self._variables = dict(variables or {})
        self._names = [f"{self.name}-{number}" for number in range(1, workers + 1)]
        self._nodes: list[Process] = []
        self._peak = 0

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """The workers run, and each has done a job of an import: in production they seldom start, too."""
        self._peak = 0
        try:
            for name in self._names:
                self._nodes.append(
                    started(
                        "worker", settings.DATA_DIR, "--hostname", f"{name}@%h", "--queues", self._queues,
                        name=name, ready=self._ready, WORKER_CONCURRENCY="1", **self._variables,
                    )
                )  # fmt: skip
            self._warm_up()
            yield
        finally:
            for node in self._nodes:
                node.kill()  # idle, or given up: nothing of theirs is kept
            self._nodes = []

    def load_base(self, catalogue: Catalogue) -> None:
        if self._foreign:
            catalogue.copy_base()
        else:
            self._import(catalogue, Case.FIRST)

    def attempt(self, catalogue: Catalogue, case: Case) -> Taken:
        """From the file received to the import finished, by the database's clock."""
        run = self._import(catalogue, case)
        return Taken(run.seconds or 0.0, self._peak, _phases(run))

    @property
    def peak_bytes(self) -> int:
        """The most memory that a process of a worker held since they began."""
        return self._peak

    def start(self, path: Path, *, preview: bool = False) -> ImportRun:
        """Begin an import of the file with everything as guessed."""
        return _imported(path, preview=preview)

    @property
    def _queues(self) -> str:
        queues = [queue.name for queue in settings.CELERY_TASK_QUEUES]
        return ",".join(name for name in queues if self._search or name != _SEARCH)

    @property
    def _ready(self) -> str:
        """What a worker's log says; one that logs errors alone is waited for by its first job."""
        return "" if self._variables.get("LOG_LEVEL") == "ERROR" else " ready."

    def is_idle(self) -> bool:
        """Whether nothing is left to do."""
        left = Job.objects.unfinished()
        return not (left if self._search else left.exclude(queue=_SEARCH)).exists()

    def rest(self) -> None:
        """Wait until nothing is left to do: mails and clearing up must not run into the next step's time."""
        self.wait_for(self.is_idle, "clearing up", 300)

    def _import(self, catalogue: Catalogue, case: Case) -> ImportRun:
        run = _imported(catalogue.files[case])
        # Idle, not ended: the mail and the clearing up must not run into the next one's time.
        self.wait_for(self.is_idle, f"the import of {catalogue.rows:,} rows", 120 + catalogue.rows / _SLOWEST)
        run.refresh_from_db()
        run.file.delete(save=False)
        _must_reconcile(run, catalogue, case)
        return run

    def _warm_up(self) -> None:
        """Small imports until every worker has taken part."""
        small = settings.DATA_DIR / "warm-up.csv"
        small.write_text("sku,name,price\nWARM-UP,Warm-up,1.00\n")

        def all_took_part() -> bool:
            run = _imported(small)
            self.wait_for(self.is_idle, "a small import", 60)
            run.file.delete(save=False)
            nodes = Job.objects.filter(queue="imports").values_list("worker", flat=True)
            return {node.partition("@")[0] for node in nodes}.issuperset(self._names)

        self.wait_for(all_took_part, "every worker to take part", 120)

    def wait_for(self, condition: Callable[[], bool], what: str, seconds: float) -> None:
        """Return once `condition()`; raises Failed after `seconds` or when a worker has died."""
        deadline = time.monotonic() + seconds
        while not self._observed(condition):
            dead = [node.program.name for node in self._nodes if node.pid is None]
            if dead or time.monotonic() > deadline:
                why = f"worker {dead[0]} died" if dead else f"not done after {seconds:.0f} s"
                raise Failed(f"{self.name}, waiting for {what}: {why}.")
            time.sleep(_POLL_SECONDS)

    def _observed(self, condition: Callable[[], bool]) -> bool:
        true = condition()
        self._peak = max([self._peak, *(peak_of_tree(node.pid) for node in self._nodes if node.pid)])
        return true


def _imported(path: Path, *, preview: bool = False) -> ImportRun:
    with path.open("rb") as stream:
        return pipeline.confirm(run=receiving.receive(stream=stream, filename=path.name), preview=preview)


def _must_reconcile(run: ImportRun, catalogue: Catalogue, case: Case) -> None:
    changed = catalogue.changed_rows if case == Case.CHANGED else 0
    expected = (
        {"created": catalogue.rows}
        if case == Case.FIRST
        else {"updated": changed, "unchanged": catalogue.rows - changed}
    )
    found = {outcome: count for outcome, count in run.outcomes.items() if count}
    expected = {outcome: count for outcome, count in expected.items() if count}
    if run.state != ImportRun.State.COMPLETED or found != expected:
        raise Failed(f"{run} is {run.state} with {found} instead of {expected}. {run.error}".strip())


def _phases(run: ImportRun) -> tuple[Phase, ...]:
    """What the run's jobs say about when each kind was worked on, up to the finish."""
    begun = run.confirmed_at
    assert begun is not None
    jobs = Job.objects.of(run.subject).exclude(kind="imports.clean").order_by()
    lasted = ExpressionWrapper(F("finished_at") - F("started_at"), output_field=DurationField())
    kinds = jobs.values("kind").annotate(
        jobs=Count("*"), first=Min("started_at"), last=Max("finished_at"), busy=Sum(lasted)
    )

    def since(moment: datetime) -> float:
        return (moment - begun).total_seconds()

    phases = [
        Phase(
            kind["kind"].removeprefix("imports."),
            kind["jobs"],
            since(kind["first"]),
            since(kind["last"]),
            kind["busy"].total_seconds(),
        )
        for kind in kinds
    ]
    return tuple(sorted(phases, key=lambda phase: phase.starts))
