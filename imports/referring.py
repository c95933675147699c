"""Products whose rows refer to each other from anywhere in the file, and so perhaps across chunks.

A first look at the whole file (`references.collect`) notes what other rows may ask for, under a key:

    id:741            the SKU of the parent with this id, for variants that name it so
    price:cc-hoodie   the price of a variant of it, for parents that have none of their own
    child:MH01-S      parent and options of this SKU, where only the parent's row tells them

Each row is then shaped by itself, with what the keys it asks for have.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from imports.column import short
from imports.image_cells import addresses, file_names
from imports.made_names import clipped, variant_name
from imports.profiles.profile import ByReference, ChildList, ParentColumn
from imports.shaped import Shaped
from imports.shop_cells import Draft, Error, ShopCells

type Found = Mapping[str, Sequence[str]]
type Find = Callable[[Collection[str]], Found]

_ID = re.compile(r"id:\s*(\S+)", re.IGNORECASE)
_LABELS = re.compile(r",(?=[^,=|]+=)")


class _Row:
    """One row, with what it is."""

    def __init__(self, cells: ShopCells, structure: ByReference, row: Sequence[str]) -> None:
        self.cells, self.row = cells, row
        words = cells.their(row, structure.kind).casefold().split(",")
        self.kinds = {word.strip() for word in words if word.strip()}
        self.is_parent = bool(self.kinds & structure.parents)
        self.is_variant = bool(self.kinds & structure.variants)
        self.sku = cells.ours(row, "sku")


class _ByParentColumn:
    """Variants name their parent."""

    def __init__(self, relation: ParentColumn) -> None:
        self._relation = relation

    def noted(self, row: _Row) -> Iterator[tuple[str, str]]:
        """(key, value) of what other rows may ask for."""
        if row.is_parent and (number := self._id(row)):
            yield f"id:{number}", self.sku(row)
        if (
            row.is_variant
            and (parent := self._parent(row))
            and (price := row.cells.sold(row.row).cells["price"])
        ):
            yield f"price:{parent}", price

    def wanted(self, row: _Row) -> list[str]:
        """The keys that the row asks for."""
        if row.is_variant:
            return [parent] if (parent := self._parent(row)).startswith("id:") else []
        return [f"price:{row.sku}", f"price:id:{self._id(row)}"] if row.is_parent else []

    def sku(self, row: _Row) -> str:
        """The row's SKU, made from its id where it has none."""
        number = self._id(row)
        return row.sku or (clipped(self._relation.made.format(id=number)) if number else "")

    def tie(self, row: _Row, draft: Draft, found: Found) -> Error | None:
        """Fill in parent and options of a variant; an error if it names no parent."""
        if not row.is_variant:
            return None
        parent = self._parent(row)
        if not parent:
            message = "A variation needs the SKU of its parent, or id: with its ID. Fill it in."
            return (row.cells.name_of(self._relation.parent), "", "missing_parent", message)
        made = clipped(self._relation.made.format(id=parent.removeprefix("id:")))
        draft.cells["parent"] = (
            next(iter(found.get(parent, ())), made) if parent.startswith("id:") else parent
        )
        draft.cells["options"] = _as_json(row.cells.options(row.row, row.row))
        return None

    def prices(self, row: _Row, found: Found) -> list[str]:
        """The prices of a parent's variants."""
        return [price for key in self.wanted(row) for price in found.get(key, ())]

    def _id(self, row: _Row) -> str:
        return row.cells.their(row.row, self._relation.id)

    def _parent(self, row: _Row) -> str:
        text = row.cells.their(row.row, self._relation.parent)
        by_id = _ID.fullmatch(text)
        return f"id:{by_id[1]}" if by_id else text


class _ByChildList:
    """Parents list their variants."""

    def __init__(self, relation: ChildList) -> None:
        self._relation = relation

    def noted(self, row: _Row) -> Iterator[tuple[str, str]]:
        """(key, value) of what other rows may ask for."""
        if row.is_parent:
            for sku, options in self._children(row):
                yield f"child:{sku}", json.dumps([row.sku, options], ensure_ascii=False)
        elif row.cells.their(row.row, self._relation.hidden).casefold() == self._relation.hidden_as and (
            price := row.cells.sold(row.row).cells["price"]
        ):
            yield f"price:{row.sku}", price

    def wanted(self, row: _Row) -> list[str]:
        """The keys that the row asks for."""
        if row.is_parent:
            return [f"price:{sku}" for sku, _ in self._children(row)]
        return [f"child:{row.sku}"]

    def sku(self, row: _Row) -> str:
        """The row's SKU."""
        return row.sku

    def tie(self, row: _Row, draft: Draft, found: Found) -> Error | None:
        """Fill in parent and options where a parent lists the row."""
        if not row.is_parent and (notes := found.get(f"child:{row.sku}")):
            draft.cells["parent"], options = json.loads(notes[0])
            draft.cells["options"] = _as_json(options)
        return None

    def prices(self, row: _Row, found: Found) -> list[str]:
        """The prices of a parent's variants."""
        return [price for key in self.wanted(row) for price in found.get(key, ())]

    def _children(self, row: _Row) -> list[tuple[str, dict[str, str]]]:
        labels = _pairs(row.cells.their(row.row, self._relation.labels))
        children = []
        for piece in row.cells.their(row.row, self._relation.variations).split("|"):
            options = _pairs(piece)
            if sku := options.pop("sku", ""):
                children.append((sku, {labels.get(name, name): value for name, value in options.items()}))
        return children


class References:
    """What the rows of a file that refer to each other say of themselves."""

    def __init__(self, cells: ShopCells, structure: ByReference) -> None:
        relation = structure.relation
        self._cells, self._structure = cells, structure
        self.relation = (
            _ByParentColumn(relation) if isinstance(relation, ParentColumn) else _ByChildList(relation)
        )

    def noted(self, row: Sequence[str]) -> Iterator[tuple[str, str]]:
        """(key, value) of what other rows may ask of this one; nothing for rows that will be refused."""
        one = self.row(row)
        return iter(()) if self.refusal(one) else self.relation.noted(one)

    def finder(self, rows: Iterable[Sequence[str]]) -> Find:
        """What looks keys up among the notes of these few rows."""
        notes: dict[str, list[str]] = {}
        for row in rows:
            for key, value in self.noted(row):
                notes.setdefault(key, []).append(value)
        return lambda keys: {key: sorted(notes[key]) for key in keys if key in notes}

    def row(self, row: Sequence[str]) -> _Row:
        """A row with what it is."""
        return _Row(self._cells, self._structure, row)

    def refusal(self, row: _Row) -> Error | None:
        """Why a row can't be sold here, if so."""
        structure, cells = self._structure, self._cells
        if view := cells.their(row.row, structure.translation):
            message = (
                f"The line has the texts of the store view “{short(view)}”, and only the default ones are "
                "kept. Leave it out."
            )
            return (cells.name_of(structure.translation), view[:200], "translation", message)
        strange = sorted(row.kinds - structure.sellable)
        if not strange and row.kinds:
            return None
        column, kind = cells.name_of(structure.kind), cells.their(row.row, structure.kind)
        if not kind:
            known = ", ".join(sorted(structure.sellable))
            message = f"The line does not say what it is. Write one of these: {known}."
            return (column, "", "missing_type", message)
        reason = structure.refused.get(
            strange[0], "is not known here. To import it as it is, make it a simple product"
        )
        return (
            column,
            kind[:200],
            "cannot_be_sold",
            f"A product of the type “{short(strange[0])}” {reason}.",
        )


class ReferenceShaper:
    """The Shaper of such a file; every row is settled at once."""

    def __init__(self, cells: ShopCells, structure: ByReference, *, find: Find) -> None:
        """`find` has the values that the whole file's rows noted under some keys."""
        self.columns = cells.columns
        self._cells, self._find = cells, find
        self._references = References(cells, structure)
        self._relation = self._references.relation

    def shape(self, lines: Sequence[int], rows: Sequence[Sequence[str]]) -> Shaped:
        """One row of ours for each that can be sold."""
        shaped = Shaped()
        ones = [self._references.row(row) for row in rows]
        found = self._find({key for one in ones for key in self._relation.wanted(one)})
        for line, one in zip(lines, ones, strict=True):
            draft = self._draft(one)
            error = self._references.refusal(one) or self._relation.tie(one, draft, found)
            if error:
                shaped.rejected.append((line, *error))
                continue
            if one.is_parent and not draft.cells["price"]:
                draft.cells["price"] = self._cells.prices.lowest(self._relation.prices(one, found))
            shaped.add(line, draft.row())
        return shaped

    def finish(self) -> Shaped:
        """Nothing is left."""
        return Shaped()

    def _draft(self, one: _Row) -> Draft:
        cells, row = self._cells, one.row
        product, sold = cells.described(row), cells.sold(row)
        images = cells.all_of(row, cells.profile.images)
        kept: dict[str, Any] = product.kept | sold.kept
        if files := file_names(images):
            kept["image_files"] = files
        if not one.is_variant and (attributes := cells.options(row, row)):
            kept["attributes"] = attributes
        draft = Draft({**product.cells, **sold.cells}, kept, addresses(images) + sold.images)
        draft.cells["sku"] = self._relation.sku(one)
        if one.is_variant and not draft.cells["name"]:
            draft.cells["name"] = variant_name(draft.cells["sku"], cells.options(row, row))
        return draft


def _as_json(options: Mapping[str, str]) -> str:
    return json.dumps(options, ensure_ascii=False) if options else ""


def _pairs(text: str) -> dict[str, str]:
    """`size=S,colour=Red` as pairs; a comma inside a value is no end of it.

    >>> _pairs("sku=A-1,size=S, wide,colour=Red")
    {'sku': 'A-1', 'size': 'S, wide', 'colour': 'Red'}
    """
    pairs = (piece.partition("=") for piece in _LABELS.split(text))
    return {name.strip(): value.strip() for name, equals, value in pairs if equals}
