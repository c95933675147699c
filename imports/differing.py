"""Which columns of a product an import's rows would change: SQL that the load and the preview share.

In it `s` is the staging row, `p` its product, `m` the row's category, `above` its parent.
"""

from __future__ import annotations

from dataclasses import dataclass

from imports.models import ImportRun

_PLAIN = ("name", "description", "price", "published", "featured", "options")
# A cleared category is staged as no path, a cleared parent as no SKU.
_CATEGORY = "CASE WHEN s.category = '' THEN NULL ELSE coalesce(m.category_id, p.category_id) END"
# A cleared compare-at price is staged as 0.
_COMPARE_AT = (
    "CASE WHEN s.compare_at_price = 0 THEN NULL ELSE coalesce(s.compare_at_price, p.compare_at_price) END"
)
_PARENT = "CASE WHEN s.parent = '' THEN NULL ELSE coalesce(above.id, p.parent_id) END"


@dataclass(frozen=True, slots=True)
class Field:
    """One column: SQL for the value that an updated product gets, and for whether that is another one."""

    name: str
    value: str
    differs: str


def content(run: ImportRun) -> list[Field]:
    """The columns of the product's own row that make up its content, as far as the import writes them."""
    plain = [
        Field(
            name,
            f"coalesce(s.{name}, p.{name})",
            f"(s.{name} IS NOT NULL AND s.{name} IS DISTINCT FROM p.{name})",
        )
        for name in _PLAIN
        if name in run.written
    ]
    return plain + [
        Field(name, value, f"p.{name} IS DISTINCT FROM ({value})") for name, value in _shared(run).items()
    ]


def _shared(run: ImportRun) -> dict[str, str]:
    """Values in which the row and the product have a part each."""
    values = {}
    if "metadata" in run.written or run.keep_unknown:
        values["metadata"] = "coalesce(s.metadata, p.metadata) || coalesce(s.extra, '{}')"
    if "compare_at_price" in run.written:
        values["compare_at_price"] = _COMPARE_AT
    if "category" in run.written:
        values["category_id"] = _CATEGORY
    if "parent" in run.written:
        values["parent_id"] = _PARENT
    return values
