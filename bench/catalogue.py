"""The files of a benchmark, and the tables that they are loaded into."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from django.conf import settings
from django.db import connection

from imports import sample_catalog
from imports.columns import slugs_for
from shop import categories

CHANGED_PERCENT = 10
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_COLUMNS = (
    "sku, slug, name, description, price, stock, category_id, published, featured, metadata, opening_stock"
)


class Case(StrEnum):
    """What is imported: a file into empty tables, or one over the same products."""

    FIRST = "first"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


type LoadBase = Callable[[Catalogue], None]


class WrongResult(Exception):  # noqa: N818 - it ends the benchmark
    """The tables do not hold what the file says, so its time means nothing."""


@dataclass(frozen=True)
class Catalogue:
    """A base file, the same with changed rows, both prepared for COPY, and what the tables must hold then.

    `prepared` are names of files in the server's own folder, where any server user can read them.
    """

    rows: int
    changed_rows: int
    paths: frozenset[str]
    files: dict[Case, Path]
    prepared: dict[Case, str]
    fingerprints: dict[Case, tuple[int, int]]

    def prepare(self, case: Case, load_base: LoadBase, *, with_categories: bool = False) -> None:
        """Empty the tables and, for a re-import, load the base; all statistics fresh, nothing to write back.

        `with_categories` leaves the categories in the empty tables.
        """
        empty()
        if with_categories:
            _make_categories(self.paths)
        if case != Case.FIRST:
            load_base(self)
            _run("VACUUM ANALYZE shop_product")
        _run("CHECKPOINT")

    def copy_base(self) -> None:
        """Fill the empty tables with the base's categories and products, by COPY."""
        _make_categories(self.paths)
        self.copy(Case.FIRST)

    def copy(self, case: Case) -> None:
        """COPY the prepared rows into the products, on the server."""
        _run(f"COPY shop_product ({_COLUMNS}) FROM '{self.prepared[case]}'")

    def verify(self, case: Case) -> None:
        """Raise WrongResult unless the products are exactly the file's (ids, slugs and times apart)."""
        found, wanted = _fingerprint(), self.fingerprints[case]
        if found != wanted:
            raise WrongResult(
                f"{found[0]:,} products instead of {wanted[0]:,}"
                if found[0] != wanted[0]
                else "products that differ from the file's"
            )


def make(rows: int, folder: Path, *, to_verify: bool = True) -> Catalogue:
    """Write the files of `rows` rows below `folder` and, `to_verify`, learn what tables must hold then."""
    folder.mkdir(exist_ok=True)
    changed_rows = round(rows * CHANGED_PERCENT / 100)
    base, changed = folder / f"{rows}.csv", folder / f"{rows}-changed.csv"
    _write(base, sample_catalog.rows(rows))
    _write(changed, sample_catalog.rows(rows, changed=CHANGED_PERCENT))
    paths = frozenset(cells[sample_catalog.CATEGORY] for cells in _cells(base))
    empty()
    ids = _make_categories(paths)
    prepared = {}
    for case, path in ((Case.FIRST, base), (Case.CHANGED, changed)):
        prepared[case] = f"{path.stem}.copy"
        with (_server_folder() / prepared[case]).open("w", newline="") as file:
            file.writelines(_prepared(path, ids))
    prepared[Case.UNCHANGED] = prepared[Case.FIRST]
    catalogue = Catalogue(
        rows,
        changed_rows,
        paths,
        {Case.FIRST: base, Case.CHANGED: changed, Case.UNCHANGED: base},
        prepared,
        {},
    )
    for case in Case if to_verify else ():
        catalogue.prepare(Case.FIRST, Catalogue.copy_base, with_categories=True)
        catalogue.copy(case)
        catalogue.fingerprints[case] = _fingerprint()
    return catalogue


class NewRows:
    """Rows of other products, as a file and prepared for COPY, to be added to a catalogue."""

    def __init__(self, rows: int, folder: Path) -> None:
        self.path, self._prepared = folder / f"{rows}-new.csv", f"{rows}-new.copy"
        _write(self.path, sample_catalog.rows(rows, seed=99))

    def double(self) -> None:
        """Give the catalogue each of its products once more, under another SKU."""
        _run(
            f"INSERT INTO shop_product ({_COLUMNS}) SELECT 'X' || sku, 'x-' || slug,"
            f" {_COLUMNS.partition('slug, ')[2]} FROM shop_product"
        )

    def copy(self) -> None:
        """COPY the rows into the products, on the server; they were prepared for the categories there."""
        _run(f"COPY shop_product ({_COLUMNS}) FROM '{self._prepared}'")

    def prepare(self) -> None:
        """Write the rows as COPY takes them, with the categories as they are now."""
        ids = _make_categories({cells[sample_catalog.CATEGORY] for cells in _cells(self.path)})
        with (_server_folder() / self._prepared).open("w", newline="") as file:
            file.writelines(_prepared(self.path, ids, suffix=True))

    def remove(self) -> None:
        """Take the rows out again."""
        skus = [cells[0] for cells in _cells(self.path)]
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM shop_product WHERE sku = ANY(%s)", [skus])


def settle() -> None:
    """Fresh statistics and nothing to write back."""
    _run("VACUUM ANALYZE shop_product")
    _run("CHECKPOINT")


def _server_folder() -> Path:
    return (settings.DATA_DIR / "postgres").resolve()


def _write(path: Path, lines: Iterable[str]) -> None:
    with path.open("w", newline="") as file:
        file.write(sample_catalog.HEADER)
        file.writelines(lines)


def _cells(path: Path) -> Iterator[list[str]]:
    with path.open(newline="") as file:
        reader = csv.reader(file)
        next(reader)
        yield from reader


def _prepared(path: Path, ids: dict[str, int], *, suffix: bool = False) -> Iterator[str]:
    """The rows in COPY's text format, slugs as an import makes them: the SKU is added where two clash, or
    with `suffix` to all."""
    slugs = Counter(hash(slugs_for([cells[sample_catalog.NAME]])[0]) for cells in _cells(path))
    for sku, name, description, price, stock, category, published, featured, metadata in _cells(path):
        slug = slugs_for([name])[0]
        if suffix or slugs[hash(slug)] > 1:
            slug = f"{slug[:60]}-{sku.lower()}"
        row = (
            sku, slug, name, description, price, stock, str(ids[category]), published, featured, metadata,
            stock,
        )  # fmt: skip
        yield "\t".join([cell.translate(_ESCAPES) for cell in row]) + "\n"


def empty() -> None:
    """Empty what imports write. Category ids start again at 1, so that prepared rows stay right."""
    _run("TRUNCATE shop_category, shop_product RESTART IDENTITY CASCADE")
    # The journal and the ledger have no foreign key by which they would be emptied too.
    _run("TRUNCATE imports_rowchange, shop_stockmovement")
    _run("TRUNCATE imports_importrun, notifications_message, tasks_job CASCADE")


def _make_categories(paths: Iterable[str]) -> dict[str, int]:
    """Create the categories; returns their ids by path."""
    names = {path: categories.split_path(path) for path in paths}
    ids = categories.ensure(names.values())
    return {path: ids[categories.key_of(steps)] for path, steps in names.items()}


def _fingerprint() -> tuple[int, int]:
    """How many products there are, and the sum of hashes of what they say."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*), coalesce(sum(hashtextextended(concat_ws(E'\\x1f', p.sku, p.name, p.description,
                p.price, p.stock, c.key, p.published, p.featured, p.metadata), 0)), 0)
            FROM shop_product p LEFT JOIN shop_category c ON c.id = p.category_id
            """
        )
        count, hashes = cursor.fetchone()
    return int(count), int(hashes)


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
