"""Products whose rows follow each other: the first row has the product's fields, the others its variants.

    ocean-shirt, Ocean shirt, Size, S, 20.00     ─▶  ocean-shirt                 (made from the first line)
                                                     ocean-shirt:s   its variant (the first line)
    ocean-shirt,            ,     , M, 22.00     ─▶  ocean-shirt:m   its variant
    ocean-shirt,            ,     ,  ,      , …  ─▶  merged: an image of ocean-shirt

A product without options has no row above it: it is one row, and further lines only add to it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence

from imports.column import short
from imports.image_cells import addresses, file_names
from imports.made_names import clipped, digest, slug, variant_name
from imports.profiles.profile import Grouped
from imports.shaped import Shaped
from imports.shop_cells import Draft, Error, ShopCells

type Member = tuple[int, Sequence[str]]  # physical line, cells


class Groups:
    """Which records belong to one product."""

    def __init__(self, cells: ShopCells, grouped: Grouped) -> None:
        self._cells, self._grouped = cells, grouped

    def key(self, row: Sequence[str]) -> str:
        """The handle of a row's product."""
        return self._cells.their(row, self._grouped.key) or slug(self._cells.ours(row, "name"))

    def starts(self, before: Sequence[str], row: Sequence[str]) -> bool:
        """Whether `row`, which follows `before`, begins another product."""
        if self._grouped.continues:
            return bool(self._cells.ours(row, "name"))
        return not (key := self.key(row)) or key != self.key(before)


class GroupShaper:
    """The Shaper of such a file. Holds one product's rows at a time."""

    def __init__(self, cells: ShopCells, grouped: Grouped, *, line_end: str = "\n") -> None:
        self.columns = cells.columns
        self._cells, self._grouped, self._line_end = cells, grouped, line_end
        self._groups = Groups(cells, grouped)
        self._members: list[Member] = []

    def shape(self, lines: Sequence[int], rows: Sequence[Sequence[str]]) -> Shaped:
        """The products that end among these rows."""
        shaped = Shaped()
        for line, row in zip(lines, rows, strict=True):
            if self._members and self._begins(line, row):
                self._close(shaped)
            self._members.append((line, row))
        return shaped

    def finish(self) -> Shaped:
        """The last product."""
        shaped = Shaped()
        if self._members:
            self._close(shaped)
        return shaped

    def _begins(self, line: int, row: Sequence[str]) -> bool:
        last_line, last = self._members[-1]
        if self._groups.starts(last, row):
            return True
        # Without a key, a row may only continue the very line above it: if that one was rejected, the
        # product it began must not lose its variants to the product before.
        gap = line - last_line - 1 - sum(cell.count(self._line_end) for cell in last)
        return self._grouped.continues and gap > 0

    def _close(self, shaped: Shaped) -> None:
        _Group(self._cells, self._grouped, self._groups.key(self._members[0][1]), self._members).shape(shaped)
        self._members = []


class _Group:
    """The rows of one product."""

    def __init__(self, cells: ShopCells, grouped: Grouped, key: str, members: list[Member]) -> None:
        self._cells, self._grouped, self._key, self._members = cells, grouped, key, members
        self._line, self._lead = members[0]
        self._options = [cells.options(row, self._lead) for _, row in members]
        self._product = cells.described(self._lead)
        self._made = grouped.made.format(key=key)
        self._key_column = cells.name_of(grouped.key)

    def shape(self, shaped: Shaped) -> None:
        """Add what the rows come to."""
        if error := self._without_lead():
            shaped.rejected += [(line, *error) for line, _ in self._members]
        elif len(self._members) > 1 and (error := self._cells.flaw(self._product)):
            shaped.rejected.append((self._line, *error))
            shaped.rejected += [(line, *self._lead_rejected()) for line, _ in self._members[1:]]
        elif any(self._options):
            self._shape_variants(shaped)
        else:
            self._shape_single(shaped)

    def _without_lead(self) -> Error | None:
        at = self._cells.mapping.get("name")
        if not self._key and (at is None or not self._grouped.continues):
            message = "Nothing says which product this line belongs to. Fill in its handle, and its name."
            return (self._key_column, "", "missing_handle", message)
        if at is not None and not self._product.cells["name"]:
            product = f"the product “{short(self._key)}”" if self._key else "a product"
            message = (
                f"This line continues {product}, whose first line, the one with the name, is missing or "
                "was rejected. Put both in one file, the first line first."
            )
            return (self._cells.header[at], "", "lead_missing", message)
        return None

    def _lead_rejected(self) -> Error:
        message = (
            f"Line {self._line}, which begins the product “{short(self._key)}”, is rejected. Mend that line, "
            "and import this one with it."
        )
        return (self._key_column, self._key[:200], "lead_rejected", message)

    def _shape_single(self, shaped: Shaped) -> None:
        draft = self._cells.sold(self._lead)
        draft.cells["sku"] = draft.cells["sku"] or clipped(self._made)
        shaped.add(self._line, self._whole(draft).row())
        for line, row in self._members[1:]:
            if self._sells(row):
                shaped.rejected.append((line, *self._no_options()))
            else:
                shaped.merged.append((line, self._line))

    def _shape_variants(self, shaped: Shaped) -> None:
        variants = self._variants()
        lead_sells = bool(self._options[0])
        parent = self._parent(variants, lead_sells)
        shaped.add(self._line, parent.row(), counts=not lead_sells)
        for index, (line, row) in enumerate(self._members):
            if index in variants:
                draft = variants[index]
                draft.cells["parent"] = parent.cells["sku"]
                shaped.add(line, draft.row())
            elif index and self._sells(row):
                shaped.rejected.append((line, *self._no_options()))
            elif index:
                shaped.merged.append((line, self._line))

    def _variants(self) -> dict[int, Draft]:
        """The members that have options, by their index."""
        drafts = {}
        made = self._made_skus()
        for index, ((_, row), options) in enumerate(zip(self._members, self._options, strict=True)):
            if not options:
                continue
            draft = drafts[index] = self._cells.sold(row)
            draft.cells |= {
                "sku": draft.cells["sku"] or made[tuple(options.items())],
                "name": variant_name(self._product.cells["name"], options),
                "published": self._product.cells["published"],
                "options": json.dumps(options, ensure_ascii=False),
            }
            self._add_impact(row, draft)
        return drafts

    def _made_skus(self) -> dict[tuple[tuple[str, str], ...], str]:
        """A SKU for each combination of options. Those that would be alike all get a digest, so that none
        depends on the order of the rows."""
        alike: dict[str, set[tuple[tuple[str, str], ...]]] = defaultdict(set)
        for options in filter(None, self._options):
            alike["-".join(map(slug, options.values()))].add(tuple(options.items()))
        made = {}
        for end, combinations in alike.items():
            for one in combinations:
                unclear = len(combinations) > 1 or not end.strip("-")
                marks = [end.strip("-"), digest("\x1f".join(value for _, value in one)) if unclear else ""]
                made[one] = clipped(f"{self._made}:{'-'.join(filter(None, marks))}")
        return made

    def _add_impact(self, row: Sequence[str], draft: Draft) -> None:
        """A price that is given as what it is above the product's."""
        impact = self._cells.profile.price_impact
        if not impact or draft.cells["price"]:
            return
        base = self._cells.ours(self._lead, "price")
        above, below = self._cells.prices.amount(base), self._cells.their(row, impact)
        difference = self._cells.prices.amount(below.removeprefix("-"))
        if above is not None and difference is not None:
            total = above - difference if below.startswith("-") else above + difference
            draft.cells["price"] = self._cells.prices.written(total)
        else:
            draft.cells["price"] = below or base

    def _parent(self, variants: dict[int, Draft], lead_sells: bool) -> Draft:
        draft = Draft({"sku": "", "price": ""}) if lead_sells else self._cells.sold(self._lead)
        taken = {variant.cells["sku"] for variant in variants.values()}
        sku = draft.cells["sku"] or clipped(self._made)
        draft.cells["sku"] = clipped(f"{sku}:product") if sku in taken else sku
        prices = [variant.cells["price"] for variant in variants.values()]
        draft.cells["price"] = draft.cells["price"] or self._cells.prices.lowest(prices)
        return self._whole(draft)

    def _whole(self, draft: Draft) -> Draft:
        """The draft with what the product's rows say about it as a whole."""
        draft.cells = {**self._product.cells, **draft.cells}
        draft.kept = self._product.kept | draft.kept
        images, files = self._images()
        draft.images = images + draft.images
        if files:
            draft.kept["image_files"] = list(dict.fromkeys([*files, *draft.kept.get("image_files", [])]))
        return draft

    def _images(self) -> tuple[list[str], list[str]]:
        """Addresses and file names of the product's images, those with a position first and in its order."""
        profile = self._cells.profile
        cells = [
            (
                int(position)
                if (position := self._cells.their(row, profile.image_position)).isdecimal()
                else 1 << 30,
                cell,
            )
            for _, row in self._members
            for cell in self._cells.all_of(row, profile.images)
        ]
        ordered = [cell for _, cell in sorted(cells, key=lambda one: one[0])]
        return addresses(ordered), file_names(ordered)

    def _sells(self, row: Sequence[str]) -> bool:
        """Whether a row is about a thing of its own, and not only adds an image."""
        return bool(self._cells.ours(row, "sku") or self._cells.ours(row, "price"))

    def _no_options(self) -> Error:
        message = (
            f"This line adds a variant to “{short(self._key)}” (line {self._line}), but no option value "
            "tells it from the others. Fill in its options, or give it a handle of its own."
        )
        return (self._key_column, self._key[:200], "no_options", message)
