"""Who refers to products besides the catalogue itself, so that none is deleted that somebody still needs.

Whoever refers to them registers how; apps that the shop does not know can, too.
"""

from __future__ import annotations

_kinds: dict[str, str] = {}


def register(what: str, *, condition: str) -> None:
    """Have no product deleted for which the SQL `condition` over `p`, its row, is true. It must be quick for
    one product, by an index. `what` names the referrers as a sentence goes on with them: "3 orders" is
    `orders`. Registering it again replaces it."""
    _kinds[what] = condition


def kinds() -> list[tuple[str, str]]:
    """Who refers to products, and the SQL that tells whether to `p`."""
    return sorted(_kinds.items())


def in_use() -> str:
    """SQL for what refers to the product `p`, `orders` for example; NULL where nothing does."""
    cases = "".join(f" WHEN ({condition}) THEN '{what}'" for what, condition in kinds())
    return f"CASE{cases} END" if cases else "NULL::text"
