"""What became of all polluted files, by kind, and its place in the documentation."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from tests.pollution.files import Polluted
from tests.pollution.judging import HARMED, OTHERWISE, REJECTED, REPAIRED, judge
from tests.pollution.line_kinds import polluted_lines
from tests.pollution.tables import Table
from tests.pollution.whole_kinds import polluted_files

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "importing.md"
_BEGIN, _END = "<!-- made by: python -m tests.pollution -->\n", "<!-- end -->\n"
_COLUMNS = (REPAIRED, REJECTED, OTHERWISE)


@dataclass
class Result:
    """The outcomes of the files made from one table."""

    table: str
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)  # by kind
    harmed: list[str] = field(default_factory=list)  # names of files in which another line suffered
    scores: list[float] = field(default_factory=list)

    @property
    def files(self) -> int:
        return len(self.scores)

    @property
    def score(self) -> float:
        """The mean over the files, 0 to 10."""
        return sum(self.scores) / len(self.scores)


def files_of(table: Table) -> Iterable[Polluted]:
    """Every file that is made from a table."""
    return chain(polluted_files(table), polluted_lines(table))


def measure(table: str, files: Iterable[Polluted]) -> Result:
    """Inspect all these files."""
    result = Result(table)
    for file in files:
        verdict = judge(file)
        result.outcomes.setdefault(file.kind, Counter())[verdict.outcome] += 1
        result.scores.append(verdict.score)
        if verdict.outcome == HARMED:
            result.harmed.append(file.name)
    return result


def report(results: Sequence[Result]) -> str:
    """The results as Markdown."""
    lines = [
        f"- *{result.table}*: {result.files:,} files, other lines lost or changed in {len(result.harmed):,}, "
        f"score {result.score:.3f}"
        for result in results
    ]
    titles = [f"{result.table}: files | {' | '.join(_COLUMNS)}" for result in results]
    lines += ["", f"| kind | {' | '.join(titles)} |", "|---|" + "---:|" * 4 * len(results)]
    for kind in dict.fromkeys(chain.from_iterable(result.outcomes for result in results)):
        counts = " | ".join(_counts(result.outcomes.get(kind, Counter())) for result in results)
        lines.append(f"| {kind} | {counts} |")
    return "\n".join(lines) + "\n"


def documented() -> str:
    """The report that stands in the documentation."""
    return DOCUMENT.read_text(encoding="utf-8").split(_BEGIN)[1].split(_END)[0]


def document(text: str) -> None:
    """Put a report in the place of the one in the documentation."""
    before, rest = DOCUMENT.read_text(encoding="utf-8").split(_BEGIN)
    DOCUMENT.write_text(before + _BEGIN + text + _END + rest.split(_END)[1], encoding="utf-8")


def _counts(outcomes: Counter[str]) -> str:
    numbers = (outcomes.total(), *(outcomes[name] for name in _COLUMNS))
    return " | ".join(f"{number:,}" if number else "" for number in numbers)
