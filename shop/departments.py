"""The tree of categories as the storefront shows it: those that have something, with how much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from shop import caching
from shop.models import TREE_ORDER, Category


class Department(NamedTuple):
    """A category; `total` are the products listed in it and everything below."""

    id: int
    name: str
    path: str
    parent: int | None
    total: int


@dataclass(frozen=True, slots=True)
class Departments:
    """All of them, by id, each after the one above it."""

    by_id: dict[int, Department]

    def at(self, path: str) -> Department | None:
        """The one with this address, or none."""
        return next((one for one in self.by_id.values() if one.path == path), None)

    def inside(self, above: Department | None) -> list[Department]:
        """Those directly below, or the topmost, that have products."""
        parent = above.id if above else None
        return [one for one in self.by_id.values() if one.parent == parent and one.total]

    def way_to(self, department: Department) -> list[Department]:
        """From the topmost one down to this one."""
        above = self.by_id.get(department.parent) if department.parent else None
        return [*(self.way_to(above) if above else []), department]

    def ids_below(self, department: Department) -> list[int]:
        """Its own id and those of everything below."""
        below = f"{department.path}/"
        return [one.id for one in self.by_id.values() if one is department or one.path.startswith(below)]

    @property
    def total(self) -> int:
        return sum(one.total for one in self.by_id.values() if one.parent is None)


def departments(*, version: int) -> Departments:
    """The tree at this version of the catalogue; one query, or none."""
    return caching.remembered("departments", version=version, make=_read)


def _read() -> Departments:
    rows = list(
        Category.objects.order_by(TREE_ORDER).values_list("id", "name", "path", "parent_id", "listed")
    )
    totals: dict[int, int] = {}
    parents: dict[int, int | None] = {row[0]: row[3] for row in rows}
    for pk, *_, listed in rows:
        for above in _upwards(pk, parents):
            totals[above] = totals.get(above, 0) + listed
    return Departments({pk: Department(pk, name, path, up, totals[pk]) for pk, name, path, up, _ in rows})


def _upwards(pk: int | None, parents: dict[int, int | None]) -> Iterator[int]:
    while pk is not None:
        yield pk
        pk = parents[pk]
