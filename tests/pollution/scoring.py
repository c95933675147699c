"""The measures of the Pollock benchmark: how much of a table came out right, from 0 to 10.

As published in Vitagliano, Hameed, Jiang, Reisener, Wu, Naumann: “Pollock: A Data Loading Benchmark”, PVLDB
16(8), 2023, section 5: *success* (was anything loaded at all), and precision, recall and F1 of header cells,
of records and of cells, each compared as multisets. Each is in 0..1, so that a file has 10 = 1 + 3 × 3 at
most; a loader's score is the mean over its files. Following the authors' program, precision is the share of
what was expected that came out, recall the share of what came out that was expected, and a file from which
nothing is expected scores 10. Where it makes dates, numbers and letters alike before comparing, here every
character counts.
"""

from collections import Counter
from collections.abc import Hashable, Iterable

type Rows = list[list[str]]


def score(
    header: list[str], rows: Rows, *, found_header: list[str], found_rows: Rows, success: bool
) -> float:
    """0 to 10 for one file: `header` and `rows` are what was expected."""
    if not header and not rows:
        return 10.0 if success else 9.0
    cells = [cell for row in (header, *rows) for cell in row]
    found_cells = [cell for row in (found_header, *found_rows) for cell in row]
    return (
        success
        + _measures(header, found_header)
        + _measures(map(tuple, rows), map(tuple, found_rows))
        + _measures(cells, found_cells)
    )


def _measures(expected: Iterable[Hashable], found: Iterable[Hashable]) -> float:
    """Precision, recall and F1 together, 0 to 3."""
    wanted, got = Counter(expected), Counter(found)
    if not wanted:
        return 3.0
    common = (wanted & got).total()
    if not common:
        return 0.0
    precision, recall = common / wanted.total(), common / got.total()
    return precision + recall + 2 * precision * recall / (precision + recall)
