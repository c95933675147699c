"""Reports of what is merely counted by day, such as imports or mails: other apps bring the counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from reports import columns, times
from reports.periods import Period
from reports.questions import Comparison, Grouping, Question
from reports.results import Answer, Chart, Column, Figure, Kind, Row, Series, Shape, Table, Text, Value
from reports.wording import BEFORE, BY, TITLES, TOTAL, what_by

type Counts = tuple[int, ...]  # one for each tally
GROUPINGS = (Grouping.DAY, Grouping.WEEK, Grouping.MONTH)


@dataclass(frozen=True, slots=True)
class Tally:
    """Something that is counted; `is_good`: whether more of it is better (None: neither)."""

    key: str
    title: Text
    is_good: bool | None = True


@dataclass(frozen=True, slots=True)
class Health:
    """The figures of a report: its tallies, the counts of each day of a period, and a share of note, which is
    the tally at `part` of that at `whole`."""

    title: Text
    tallies: Sequence[Tally]
    count: Callable[[Period], Mapping[date, Counts]]
    share: Tally
    part: int
    whole: int
    tables: Callable[[Period], Sequence[Table]]

    def answer(self, question: Question) -> Answer:
        """What was counted in the question's days, with what it is compared with."""
        compared = question.compared()
        slots = times.slots(question.period, question.group_by)
        now = self._spread(question, slots, self.count(question.period))
        before = self._before(question, slots, compared) if compared else None
        return Answer(
            question=question,
            title=self.title,
            currency=settings.STORE_CURRENCY,
            made_at=timezone.now(),
            compared=compared,
            figures=self._figures(_sum(now), _sum(before) if before is not None else None),
            charts=[self._chart(question, slots, now, before)],
            tables=[self._table(question, slots, now, before), *self.tables(question.period)],
        )

    def _spread(
        self,
        question: Question,
        slots: Sequence[times.Slot],
        found: Mapping[date, Counts],
        moved: Callable[[date], date] = lambda day: day,
    ) -> list[Counts]:
        counts = [(0,) * len(self.tallies) for _ in slots]
        for day, one in found.items():
            number = times.place(slots, datetime.combine(moved(day), datetime.min.time()))
            counts[number] = _sum([counts[number], one])
        return counts

    def _before(self, question: Question, slots: Sequence[times.Slot], compared: Period) -> list[Counts]:
        days = timedelta(days=(question.period.first - compared.first).days)
        is_year = question.compare == Comparison.YEAR
        moved = times.a_year_later if is_year else lambda day: day + days
        return self._spread(question, slots, self.count(compared), moved)

    def _share(self, counts: Counts) -> Value:
        return columns.share(Decimal(counts[self.part]), Decimal(counts[self.whole]))

    def _figures(self, now: Counts, before: Counts | None) -> list[Figure]:
        share = self.share
        return [
            Figure(
                share.key, share.title, Kind.SHARE, self._share(now), self._share(before) if before else None,
                share.is_good,
            ),
            *(
                Figure(
                    tally.key, tally.title, Kind.COUNT, now[n], before[n] if before else None, tally.is_good
                )
                for n, tally in enumerate(self.tallies)
            ),
        ]  # fmt: skip

    def _chart(
        self,
        question: Question,
        slots: Sequence[times.Slot],
        now: Sequence[Counts],
        before: Sequence[Counts] | None,
    ) -> Chart:
        first = self.tallies[self.whole].title
        series = [Series(first, [one[self.whole] for one in now])]
        if before:
            series.append(Series(BEFORE, [one[self.whole] for one in before], is_before=True))
        labels = [times.label(slot, question.group_by, question.language) for slot in slots]
        return Chart(what_by(first, question.group_by), Shape.LINE, Kind.COUNT, labels, series)

    def _table(
        self,
        question: Question,
        slots: Sequence[times.Slot],
        now: Sequence[Counts],
        before: Sequence[Counts] | None,
    ) -> Table:
        def cells(head: Value, counts: Counts) -> tuple[Value, ...]:
            return (head, *counts, self._share(counts))

        rows = [
            Row(cells(slot.cell, one), cells(None, was) if before else None)
            for slot, one, was in zip(slots, now, before or now, strict=True)
        ]
        last = Row(cells(TOTAL, _sum(now)), cells(None, _sum(before)) if before else None)
        headings = (
            Column(question.group_by.value, TITLES[question.group_by], Kind.DAY),
            *(Column(tally.key, tally.title, Kind.COUNT) for tally in self.tallies),
            Column(self.share.key, self.share.title, Kind.SHARE),
        )
        return Table(BY[question.group_by], headings, rows, last)


def _sum(counts: Sequence[Counts]) -> Counts:
    return tuple(sum(one) for one in zip(*counts, strict=True))
