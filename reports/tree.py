"""Categories with what was sold in those below them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reports.queries.sales import Group
from reports.sums import Sums

_SEPARATOR = " > "


def depth(key: Any) -> int:
    """How far below the top a category stands: 0 for `Home`, 1 for `Home > Kitchen`."""
    return str(key or "").count(_SEPARATOR)


def rolled_up(groups: Iterable[Group]) -> list[Group]:
    """A group for each category and each one above it, in the order of a tree, of siblings the one with the
    largest gross amount first; what has no category comes after them, the delivery last."""
    sums: dict[tuple[str, ...], tuple[Sums, Sums]] = {}
    last: list[Group] = []
    for group in groups:
        if not group.key:
            last.append(group)
            continue
        names = tuple(str(group.key).split(_SEPARATOR))
        for length in range(1, len(names) + 1):
            now, before = sums.get(names[:length], (Sums(), Sums()))
            sums[names[:length]] = (now.plus(group.now), before.plus(group.before))

    def place(names: tuple[str, ...]) -> list[tuple[Any, ...]]:
        above = [names[:length] for length in range(1, len(names) + 1)]
        return [(-sums[one][0].gross, one) for one in above]

    tree = [Group(_SEPARATOR.join(names), "", *sums[names]) for names in sorted(sums, key=place)]
    return [*tree, *sorted(last, key=lambda one: one.key is None)]
