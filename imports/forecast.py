"""The figures of a preview: what it counted, added up part by part.

`create`, `update`, `unchanged`, `skip`, `reject` and `remove` are rows; with those that the run has counted
already they sum to all of them. `fields` says how many products each field changes of, `price_jumps` how many
prices change by more than IMPORT_WARN_PRICE_PERCENT, `price_leaps` by IMPORT_SECOND_PERSON_FACTOR times as
much, `to_zero` of how many products the stock ends, `unpublished` how many updates take off the shop, and
`unlisted` how many products a mirror would unpublish.
`categories` has the number and the first few names of those that would be created.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ROWS = ("create", "update", "unchanged", "skip", "reject", "remove")
_FIGURES = (*ROWS, "price_jumps", "price_leaps", "to_zero", "unpublished")


def nothing() -> dict[str, Any]:
    """A forecast in which nothing has been counted yet."""
    return {**dict.fromkeys(_FIGURES, 0), "fields": {}, "categories": {"count": 0, "first": []}}


def added(forecast: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    """The forecast with a part's figures added; a part leaves out what is 0."""
    fields = dict(forecast["fields"])
    for name, count in part.get("fields", {}).items():
        fields[name] = fields.get(name, 0) + count
    figures = {name: forecast[name] + part.get(name, 0) for name in _FIGURES}
    return {**forecast, **figures, "fields": fields}
