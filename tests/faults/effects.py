"""Everything that an import leaves behind, in a form in which two runs can be compared."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from tests.stack import Rows, Stack

# What differs between two runs that did the same: keys, times and the versions of products.
_OWN = "'id' - 'category_id' - 'parent_id' - 'created_at' - 'updated_at' - 'version'"
_KEPT = "'id' - 'category_id' - 'created_at' - 'updated_at' - 'version'"  # the same, of a journal
_KEY = "(SELECT key FROM shop_category WHERE id = ({}->>'category_id')::bigint)"
_COUNTERS = (
    "state", "mode", "lines", "blank_lines", "continuation_lines", "rows", "created", "updated", "unchanged",
    "removed", "merged", "skipped", "superseded", "rejected", "pending", "rows_staged", "lines_staged",
    "categories_created", "unlisted",
)  # fmt: skip


@dataclass(frozen=True)
class Effects:
    """What one import did. Equal for equal imports, whatever happened to the workers meanwhile."""

    products: Rows
    categories: Rows
    counters: dict[str, Any]
    rejected: Rows
    set_aside: Rows
    journal: Rows
    created: Rows
    ledger: Rows
    messages: Rows
    rejected_file: Rows

    def differences(self, other: "Effects") -> list[str]:
        """What the two don't have in common, one readable line each; empty when they are equal."""
        return [
            difference
            for field in fields(self)
            for difference in _differences(field.name, getattr(self, field.name), getattr(other, field.name))
        ]


def effects_of(stack: Stack, run: int) -> Effects:
    """Read the effects of the import with the id `run`; the products are those of the whole catalogue."""
    return Effects(
        products=products(stack),
        categories=stack.sql(
            f"SELECT (to_jsonb(c) - {_OWN})::text, p.key FROM shop_category c"
            " LEFT JOIN shop_category p ON p.id = c.parent_id ORDER BY c.key"
        ),
        counters=counters(stack, run),
        rejected=stack.sql(
            'SELECT line, "column", value, code, message, more::text FROM imports_rejectedrow'
            " WHERE run_id = %s ORDER BY line",
            [run],
        ),
        set_aside=stack.sql(
            "SELECT line, sku, outcome, reason FROM imports_setasiderow WHERE run_id = %s ORDER BY line",
            [run],
        ),
        journal=stack.sql(
            f"SELECT r.line, p.sku, (r.before - {_KEPT})::text, (r.after - {_KEPT})::text,"
            f" {_KEY.format('r.before')}, {_KEY.format('r.after')}"
            " FROM imports_rowchange r LEFT JOIN shop_product p ON p.id = r.product_id"
            " WHERE r.run_id = %s ORDER BY r.line, coalesce(p.sku, r.before ->> 'sku')",
            [run],
        ),
        created=stack.sql(
            "SELECT p.sku FROM imports_createdproducts r, unnest(r.product_ids) AS made(id)"
            " LEFT JOIN shop_product p ON p.id = made.id WHERE r.run_id = %s ORDER BY p.sku",
            [run],
        ),
        ledger=stack.sql(
            "SELECT p.sku, m.quantity, m.balance, m.kind,"
            " CASE WHEN m.reference = %s THEN 'this import' WHEN m.reference LIKE 'import/%%' THEN 'another'"
            " ELSE m.reference END"
            " FROM shop_stockmovement m LEFT JOIN shop_product p ON p.id = m.product_id"
            " ORDER BY p.sku, m.id",
            [f"import/{run}"],
        ),
        messages=stack.sql(
            "SELECT kind, recipient, state FROM notifications_message WHERE about = %s ORDER BY id",
            [f"import/{run}"],
        ),
        rejected_file=_rejected_file(stack, run),
    )


def _rejected_file(stack: Stack, run: int) -> Rows:
    """The lines of the stored file of rejected rows; none where there is no such file."""
    [(name,)] = stack.sql("SELECT rejected_file FROM imports_importrun WHERE id = %s", [run])
    path = Path(stack.environment["TALLYMAN_DATA_DIR"]) / "media" / name
    return [(line,) for line in path.read_text().splitlines(keepends=True)] if name else []


def products(stack: Stack) -> Rows:
    """The catalogue by SKU: `(sku, all other content as JSON, category, SKU of the parent)`."""
    return stack.sql(
        f"SELECT p.sku, (to_jsonb(p) - {_OWN})::text, c.key, q.sku FROM shop_product p"
        " LEFT JOIN shop_category c ON c.id = p.category_id LEFT JOIN shop_product q ON q.id = p.parent_id"
        " ORDER BY p.sku"
    )


def counters(stack: Stack, run: int) -> dict[str, Any]:
    """State, mode and all counters of an import, by name."""
    [row] = stack.sql(f"SELECT {', '.join(_COUNTERS)} FROM imports_importrun WHERE id = %s", [run])
    return dict(zip(_COUNTERS, row, strict=True))


def _differences(name: str, ours: Any, theirs: Any) -> list[str]:
    if ours == theirs:
        return []
    if isinstance(ours, dict):
        return [f"{name}.{key}: {ours[key]} != {theirs[key]}" for key in ours if ours[key] != theirs[key]]
    surplus, lacking = _minus(ours, theirs), _minus(theirs, ours)
    return [
        f"{name}: {len(ours):,} rows != {len(theirs):,}",
        *(f"{name}: only here {row}"[:300] for row in surplus[:3]),
        *(f"{name}: only there {row}"[:300] for row in lacking[:3]),
    ]


def _minus(these: Rows, those: Rows) -> Rows:
    unwanted = {repr(row) for row in those}
    return [row for row in these if repr(row) not in unwanted]
