"""The first records of a shop's file and what they come to, for showing before an import runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from imports import shaping
from imports.dialect import SAMPLE_BYTES, SAMPLE_ROWS, Dialect
from imports.models import Chunk, ImportRun
from imports.opening import open_chunk
from imports.shaped import Shaped
from imports.shop_cells import NAMES


@dataclass(slots=True)
class ShopSample:
    """Records as they stand in the file, by their physical line, and the rows of ours that they come to."""

    columns: frozenset[str]  # ours that are filled, mapped or not
    records: dict[int, Sequence[str]] = field(default_factory=dict)
    shaped: Shaped = field(default_factory=Shaped)

    def texts(self, name: str, at: int | None) -> list[tuple[str | None, str]]:
        """For each line that gives rows, what stands in the file's column `at` (None: there is none), and
        what our column gets.

        A line may give a variant and the product above it; each has what the other one lacks.
        """
        texts: dict[int, str] = {}
        for line, row, counts in zip(self.shaped.lines, self.shaped.rows, self.shaped.counts, strict=True):
            text = row[NAMES.index(name)]
            texts[line] = (text or texts.get(line, "")) if counts else (texts.get(line) or text)
        return [
            (None if at is None else self.records[line][at].strip(), text) for line, text in texts.items()
        ]


def shop_sample(run: ImportRun) -> ShopSample | None:
    """Shape the draft's first records; None where each row is a product as it stands, or where the draft has
    columns that the file has not.

    Rows that refer to each other find each other among these records only. Raises OSError when the file is
    gone.
    """
    if any(at >= len(run.header) for at in run.mapping.values()):
        return None
    records = _records(run) if run.is_shaped else {}
    shaper = shaping.shaper_of(run, among=records.values())
    if shaper is None:
        return None
    sample = ShopSample(frozenset({*run.mapping, *shaper.columns}), records)
    sample.shaped.extend(shaper.shape(list(records), list(records.values())))
    sample.shaped.extend(shaper.finish())
    return sample


def _records(run: ImportRun) -> dict[int, Sequence[str]]:
    dialect = Dialect.from_dict(run.dialect)
    end = run.size if dialect.data_end is None else dialect.data_end
    length = min(end - dialect.data_offset, SAMPLE_BYTES)
    chunk = Chunk(run=run, offset=dialect.data_offset, length=length, first_line=dialect.first_line)
    records: dict[int, Sequence[str]] = {}
    for lines, rows in open_chunk(run, chunk).blocks():
        records.update(zip(lines, rows, strict=True))
        if len(records) >= SAMPLE_ROWS:
            break
    return dict(list(records.items())[:SAMPLE_ROWS])
