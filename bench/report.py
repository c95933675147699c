"""The tables: the same figures on the terminal and in bench/results.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil
import redis
from django.conf import settings
from django.db import connection
from rich.console import Console
from rich.table import Table as RichTable

from bench import sections
from bench.catalogue import CHANGED_PERCENT, Case
from bench.results import Results, Spread

_NONE = "–"
_OURS = "tallyman-2"
_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Table:
    """Cells as people read them; the first column is text, the others are figures."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


def main_tables(results: Results) -> list[Table]:
    """Rates and ratios of all contenders, what must be true of them, and where our time goes."""
    return [_rates("Rows a second", results), *_promises(results), *_profiles(results)]


def big_tables(results: Results) -> list[Table]:
    """The same for the one round with many rows."""
    return [_rates(f"{results.all[0].rows:,} rows, one round", results), *_profiles(results)]


def _rates(title: str, results: Results) -> Table:
    header = [
        "contender", "rows", "first import, rows/s", "× COPY",
        f"{CHANGED_PERCENT} % changed, rows/s", "× COPY", "unchanged, rows/s", "× COPY", "peak MB",
    ]  # fmt: skip
    rows = []
    for name, one in results.contenders.items():
        figures = [
            text
            for case in Case
            for text in (_count(results.rate(name, case)), _times(results.ratio(name, case)))
        ]
        rows.append([one.label, f"{one.rows:,}", *figures, _megabytes(results.peak_bytes(name))])
    return Table(title, header, rows)


def _promises(results: Results) -> list[Table]:
    """What the two workers must reach, beside what they did; nothing when they were not measured."""
    peak = results.peak_bytes(_OURS)
    if peak is None:
        return []
    least = [
        ("first import × COPY", 0.9, results.ratio(_OURS, Case.FIRST)),
        (f"re-import, {CHANGED_PERCENT} % changed × COPY", 1.5, results.ratio(_OURS, Case.CHANGED)),
        ("first import × per row", 20.0, results.ratio(_OURS, Case.FIRST, against="per-row")),
    ]
    rows = [
        [what, f"≥ {bound:g}", _times(found), _verdict(found.median >= bound)]
        for what, bound, found in least
        if found
    ]
    rows.append(["peak memory of a worker, MB", "≤ 150", _megabytes(peak), _verdict(peak <= 150 * _MB)])
    return [Table("Tallyman with 2 workers must reach", ["figure", "bound", "measured", "verdict"], rows)]


def _verdict(reached: bool) -> str:
    return "reached" if reached else "falls short"


def _profiles(results: Results) -> list[Table]:
    """One table a case: when each phase of our import ran."""
    tables = []
    for case in Case:
        total = results.seconds(_OURS, case)
        if total is None:
            continue
        rows = [
            [phase.kind, f"{phase.jobs}", *(f"{at:.2f}" for at in (phase.starts, phase.ends, phase.busy))]
            for phase in results.phases(_OURS, case)
        ]
        title = f"{_WORDS[case]}, {results.contenders[_OURS].rows:,} rows, 2 workers: {total.median:.2f} s"
        tables.append(Table(title, ["phase", "jobs", "from s", "to s", "worker seconds"], rows))
    return tables


_WORDS = {
    Case.FIRST: "First import",
    Case.CHANGED: f"{CHANGED_PERCENT} % changed",
    Case.UNCHANGED: "Unchanged",
}


def _count(spread: Spread | None) -> str:
    return _NONE if spread is None else _with_extremes(spread, "{:,.0f}")


def _times(spread: Spread | None) -> str:
    """Two or three digits that count."""
    if spread is None:
        return _NONE
    decimals = 3 if spread.median < 0.1 else 2 if spread.median < 10 else 1
    return _with_extremes(spread, f"{{:.{decimals}f}}")


def _with_extremes(spread: Spread, form: str) -> str:
    middle = form.format(spread.median)
    if spread.low == spread.high:
        return middle
    return f"{middle} ({form.format(spread.low)}–{form.format(spread.high)})"


def _megabytes(size: int | None) -> str:
    return _NONE if size is None else f"{size / _MB:.0f}"


def show(tables: Sequence[Table], console: Console) -> None:
    """Print them; Markdown's marks are for the file."""
    for table in tables:
        console.print(f"\n{table.title}", highlight=False)
        shown = RichTable()
        for at, name in enumerate(table.header):
            shown.add_column(name, justify="right" if at else "left")
        for row in table.rows:
            shown.add_row(*(cell.replace("`", "").replace("**", "") for cell in row))
        console.print(shown)


def write(tables: Sequence[Table], path: Path, *, rounds: int) -> None:
    """Write the report: machine, how to read it, the tables. It names no host and no folder.

    The sections of benchmarks that are run by themselves stay.
    """
    parts = ["# What imports cost", _circumstances(rounds), _READING, *map(_markdown, tables)]
    others = [section for title in sections.TITLES for section in sections.found(path, title)]
    path.write_text("\n\n".join([*parts, *others]).rstrip() + "\n")


def _markdown(table: Table) -> str:
    lines = [
        f"## {table.title}\n",
        _line(table.header),
        _line(["---", *["---:"] * (len(table.header) - 1)]),
        *map(_line, table.rows),
    ]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


_SETTINGS = ("shared_buffers", "wal_buffers", "max_wal_size", "fsync", "synchronous_commit")


def _circumstances(rounds: int) -> str:
    memory = psutil.virtual_memory().total / 1024**3
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, current_setting(name) FROM unnest(%s::text[]) name",
            [["server_version", *_SETTINGS]],
        )
        postgres = dict(cursor.fetchall())
    server = postgres.pop("server_version")
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        valkey = broker.info("server")["valkey_version"]
    chosen = ", ".join(f"{name} {value}" for name, value in postgres.items())
    return (
        f"Measured on {datetime.now(UTC):%-d %B %Y}, {rounds} round{'s' if rounds > 1 else ''}:"
        f" {os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GB of memory;"
        f" Python {platform.python_version()}, PostgreSQL {server} as `make up` runs it ({chosen}),"
        f" Valkey {valkey}, Django {version('django')}, Celery {version('celery')},"
        f" django-import-export {version('django-import-export')}."
    )


_READING = f"""\
`make bench` measures again. How to read it:

- All contenders import the same generated CSV file (random key order, no broken rows) on one server, into
  the same table with all its indexes and constraints, in turn, round by round. Before each, tables are
  emptied and a checkpoint is made. After each, the table is compared with the file; if it is wrong, the
  benchmark ends without a report.
- Figures are medians over the rounds, with the lowest and the highest in brackets. **× COPY** is taken
  within each round: how many times as fast as the server-side `COPY` of that round. COPY gets rows whose
  slugs and category ids were found out beforehand; it checks nothing and cannot update.
- A re-import loads a file of which {CHANGED_PERCENT} % of the rows changed over the same products (loaded and
  vacuumed beforehand); *unchanged* loads the very same file again. Their ratios, too, are against COPY's
  first load.
- Tallyman's re-imports go over what it imported itself, so it recognises most lines without parsing them.
  *Over products of other origin* (here: COPY) it has to compare them cell by cell.
- Where a contender's **rows** are fewer, it was measured with a smaller file into as small a table, and its
  rate stands for the larger one: extrapolated, in its favour.
- Contenders of the ORM run in one process, validate with `Decimal`, `int` and `json` alone, and find all
  categories there; django-import-export caches instances, skips unchanged rows and reports nothing.
- **Tallyman** is the whole of it: file received, planned, staged, checked, categories made, loaded with
  journal and counts, finished, through Valkey and real Celery workers, with beat, task results and mail on.
  That the search reads what changed follows every import, and is measured in `bench.pages`.
  A *worker* is one Celery node with one child, started beforehand. Its seconds run from the file received
  to the import finished, by the database's clock; the others' leave out the start of Python.
- **Peak MB** (millions of bytes) is the largest resident set of any one process, shared pages included.
- In the profiles, a phase lasts from its first job's start to its last one's end; worker seconds add up the
  jobs, those of both workers."""
