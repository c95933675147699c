"""What was measured, and the figures that are told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median

from bench.catalogue import Case
from bench.contenders import Phase, Taken


@dataclass(frozen=True, slots=True)
class Measurement:
    """One import: who, with how many rows, in which round (from 1) and case, and what it took."""

    contender: str
    label: str
    rows: int
    round: int
    case: Case
    taken: Taken

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.taken.seconds


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of a figure over the rounds, and its extremes."""

    median: float
    low: float
    high: float


class Results:
    """Measurements of one size of file; the ratios are against COPY's first load in the same round."""

    def __init__(self, measurements: Iterable[Measurement]) -> None:
        self.all = list(measurements)

    @property
    def contenders(self) -> dict[str, Measurement]:
        """The first measurement of each contender, by name, in the order of measuring."""
        firsts: dict[str, Measurement] = {}
        for one in self.all:
            firsts.setdefault(one.contender, one)
        return firsts

    def rate(self, contender: str, case: Case) -> Spread | None:
        """Rows a second; None where that was not measured."""
        return self._spread(contender, case, lambda one: one.rate)

    def ratio(self, contender: str, case: Case, against: str = "copy") -> Spread | None:
        """How many times as fast as the first import of `against`, round by round."""
        limit = {
            one.round: one.rate for one in self.all if one.contender == against and one.case == Case.FIRST
        }
        if not limit:
            return None
        return self._spread(contender, case, lambda one: one.rate / limit[one.round])

    def peak_bytes(self, contender: str) -> int | None:
        """The most that any process of the contender ever held; None for COPY."""
        peaks = [one.taken.peak_bytes for one in self._of(contender) if one.taken.peak_bytes is not None]
        return max(peaks, default=None)

    def phases(self, contender: str, case: Case) -> list[Phase]:
        """The phases of an import in their order, each figure the median over the rounds."""
        runs = [one.taken.phases for one in self._of(contender, case)]
        return [_middle([run[at] for run in runs]) for at in range(len(runs[0]) if runs else 0)]

    def seconds(self, contender: str, case: Case) -> Spread | None:
        return self._spread(contender, case, lambda one: one.taken.seconds)

    def _of(self, contender: str, case: Case | None = None) -> list[Measurement]:
        return [one for one in self.all if one.contender == contender and case in (None, one.case)]

    def _spread(self, contender: str, case: Case, figure: Callable[[Measurement], float]) -> Spread | None:
        figures = [figure(one) for one in self._of(contender, case)]
        return Spread(median(figures), min(figures), max(figures)) if figures else None


def _middle(phases: list[Phase]) -> Phase:
    """One phase from the same phase of several rounds."""
    return Phase(
        phases[0].kind,
        phases[0].jobs,
        median(phase.starts for phase in phases),
        median(phase.ends for phase in phases),
        median(phase.busy for phase in phases),
    )
