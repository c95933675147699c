"""Category paths: how they are read, compared, and created on demand."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.text import slugify

from shop.models import Category

SEPARATOR = " > "
_SEPARATORS = re.compile(r"\s*>\s*")
_SPACE = re.compile(r"\s+")
_CREATING = 0x7A11_0001  # key of the advisory lock that lets one transaction at a time create categories


def split_path(text: str) -> tuple[str, ...]:
    """Read `Home >  Kitchen>Knives` as its names; empty steps are dropped.

    >>> split_path(" Home >  Kitchen tools>Knives > ")
    ('Home', 'Kitchen tools', 'Knives')
    """
    return tuple(name for step in _SEPARATORS.split(text) if (name := _SPACE.sub(" ", step).strip()))


def key_of(names: Iterable[str]) -> str:
    """What makes two paths the same: their names, ignoring case and spacing.

    >>> key_of(["Home", "Kitchen Tools"]) == key_of(["home", "KITCHEN tools"])
    True
    """
    return SEPARATOR.join(name.casefold() for name in names)


def slug_of(name: str) -> str:
    """The slug of a name; a name without any letter or digit gets one from its hash."""
    return slugify(name, allow_unicode=False)[:120] or f"c-{_digest(name)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.casefold().encode()).hexdigest()[:6]


@transaction.atomic
def ensure(paths: Iterable[tuple[str, ...]]) -> dict[str, int]:
    """Return `{key: category id}` for the given paths and their ancestors, creating what is missing.

    Works in key order, so that the outcome does not depend on the order of `paths`. Names that differ but
    slug alike (`C`, `C++`) stay two categories: the later key gets a suffix made from its name. Of
    spellings that differ only in case or spacing (`hats`, `Hats`) the first in sort order is kept.
    """
    wanted: dict[str, tuple[str, ...]] = {}
    for path in sorted(set(paths)):
        for depth in range(1, len(path) + 1):
            wanted.setdefault(key_of(path[:depth]), path[:depth])
    if not wanted:
        return {}
    known = _ids(wanted)
    if wanted.keys() - known.keys():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_CREATING])
        known = _ids(wanted)  # somebody may have been faster while we waited
        _create_missing(wanted, known)
    return known


def _create_missing(wanted: dict[str, tuple[str, ...]], known: dict[str, int]) -> None:
    """Create level by level, parents first, each level with two queries; adds to `known`."""
    for depth in range(1, max(map(len, wanted.values())) + 1):
        missing = sorted(key for key in wanted.keys() - known.keys() if len(wanted[key]) == depth)
        if not missing:
            continue
        above_keys = {key_of(wanted[key][:-1]) for key in missing} - {""}
        above = {category.key: category for category in Category.objects.filter(key__in=above_keys)}
        parents = [parent.pk for parent in above.values()]
        siblings = Category.objects.filter(parent__in=parents) if parents else Category.objects.roots()
        taken = set(siblings.values_list("path", flat=True))
        created = []
        for key in missing:
            name = wanted[key][-1]
            category = Category(name=name, slug=slug_of(name), parent=above.get(key_of(wanted[key][:-1])))
            category.derive_paths()
            if category.path in taken:
                category.slug = f"{category.slug}-{_digest(category.name)}"
                category.derive_paths()
            taken.add(category.path)
            created.append(category)
        known.update({category.key: category.pk for category in Category.objects.bulk_create(created)})


def obstacles(categories: QuerySet[Category]) -> list[str]:
    """Say why categories can't be deleted: one sentence for each that has products or subcategories.

    Subcategories count even when they are to go along: the foreign key protects whatever it points to.
    """
    below = Category.objects.filter(parent=OuterRef("pk")).order_by().values("parent")
    occupied = (
        Category.objects.filter(pk__in=categories.order_by().values("pk"))
        .with_product_counts()
        .annotate(child_count=Coalesce(Subquery(below.annotate(n=Count("*")).values("n")), 0))
        .filter(Q(product_count__gt=0) | Q(child_count__gt=0))
    )
    return [_obstacle(category) for category in occupied]


def _obstacle(category: Any) -> str:
    """The sentence for a category with its counts."""
    inside = [
        f"{count:,} {one if count == 1 else many}"
        for count, one, many in (
            (category.product_count, "product", "products"),
            (category.child_count, "subcategory", "subcategories"),
        )
        if count
    ]
    alone = category.product_count + category.child_count == 1
    verb, them = ("is", "it") if alone else ("are", "them")
    return f"“{category}” can't be deleted: {' and '.join(inside)} {verb} in it. Move {them} first."


def known(paths: Iterable[str]) -> dict[str, int | None]:
    """`{path: category id}` of the full names among `paths` that are there, whatever their spacing."""
    keys = {path.casefold(): path for path in paths}
    return {keys[key]: pk for key, pk in _ids(keys).items()}


def _ids(wanted: Iterable[str]) -> dict[str, int]:
    return dict(Category.objects.filter(key__in=list(wanted)).values_list("key", "pk"))
