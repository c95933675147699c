"""What a shop's export is made of, as data. One module a shop declares a Profile, and `shaping` reads by it.

Headers are compared without case, spaces and punctuation, and of several candidates the first one that the
file has counts. `{n}` in a header stands for a number (`Image {n} Url`), `{currency}` for a code of three
letters (`Price {currency}`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

type Headers = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grouped:
    """Rows that follow each other and have the same `key` are one product and its variants.

    The first of them has the product's fields. A row that has options is a variant, one without a SKU, a
    price and options only adds to the product (an image). Where `continues`, a blank name continues the
    product above, whatever the key. `made` is the SKU of a product that has none of its own.
    """

    key: Headers
    continues: bool = False
    made: str = "{key}"


@dataclass(frozen=True, slots=True)
class ParentColumn:
    """A variant's row names its parent: by SKU, or as `id:123` by the parent's `id`."""

    parent: Headers
    id: Headers
    made: str = "{id}"  # the SKU of a row that has none


@dataclass(frozen=True, slots=True)
class ChildList:
    """A parent's row lists its variants (`sku=A-1,size=S|sku=A-2,size=M`), and how options are called."""

    variations: Headers
    labels: Headers
    # Only rows that are so are looked at for the lowest price of a parent's variants.
    hidden: Headers
    hidden_as: str


@dataclass(frozen=True, slots=True)
class ByReference:
    """Each row says what it is, and rows refer to each other from anywhere in the file.

    A type may have several words (`simple, virtual`). `refused` has the types that can't be sold here and
    why; all that are not named are refused as well. Rows with a `translation` have another language's texts.
    """

    kind: Headers
    sellable: frozenset[str]
    parents: frozenset[str]
    refused: Mapping[str, str]
    relation: ParentColumn | ChildList
    variants: frozenset[str] = frozenset()
    translation: Headers = ()


@dataclass(frozen=True, slots=True)
class OptionPairs:
    """Options in pairs of columns; a name that only the product's first row has counts for its other rows."""

    names: Headers
    values: Headers
    # What a product without options has in them, as (name, value).
    none: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class PackedOptions:
    """All option names in one cell, and their values in another one, in the same order."""

    names: Headers
    values: Headers
    separator: str
    clip: str = ""  # what follows it in a name or value is no part of it: `Colour:select:0`


@dataclass(frozen=True, slots=True)
class Categories:
    """How a cell names categories: `separator` between several, `levels` between the steps of a path.

    The deepest path is the product's category, of equally deep ones the first. `roots` are first steps that
    say nothing, `prefix` is what stands before a category where other things are in the cell too.
    """

    separator: str = ""
    levels: str = ">"
    roots: frozenset[str] = frozenset()
    prefix: str = ""

    def read(self, text: str) -> list[str]:
        """All paths of a cell, as we write them.

        >>> Categories(",", "/", frozenset({"root"})).read("Root/Home/Pots,Root/Sale")
        ['Home > Pots', 'Sale']
        """
        pieces = _split(text, self.separator) if self.separator else [text]
        if self.prefix:
            pieces = [piece[len(self.prefix) :] for piece in pieces if piece.startswith(self.prefix)]
        return [path for piece in pieces if (path := self._path(piece))]

    def _path(self, text: str) -> str:
        steps = [step.strip() for step in _split(text, self.levels)]
        if steps and steps[0].casefold() in self.roots:
            steps = steps[1:]
        return " > ".join(filter(None, steps))


@dataclass(frozen=True, slots=True)
class Sale:
    """A second, lower price, and from when to when it holds."""

    price: Headers
    begins: Headers = ()
    ends: Headers = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """One shop's export."""

    name: str
    label: str
    # Each of them is enough to recognise a file: all of its headers are there.
    signatures: tuple[Headers, ...]
    # Our column → headers. Those of a product are read from its first row, SKU, price and stock from each.
    mapping: Mapping[str, Headers] = field(default_factory=dict)
    # Our column → where it is read when its own cell is blank.
    fallbacks: Mapping[str, Headers] = field(default_factory=dict)
    structure: Grouped | ByReference | None = None  # None: each row is one product, as in our own files
    options: OptionPairs | PackedOptions | None = None
    images: Headers = ()
    image_position: Headers = ()
    variant_images: Headers = ()
    categories: Categories = field(default_factory=Categories)
    tags: Headers = ()
    published: Mapping[str, str] = field(default_factory=dict)  # their word → true or false
    # A second column that has a say: the product is unpublished unless it is blank or says `active`.
    status: Headers = ()
    sale: Sale | None = None
    compare_at: Headers = ()  # the price before, where the price itself is the lower one
    price_impact: Headers = ()  # what a variant's price is above its product's
    tracked: Headers = ()  # whether stock is counted
    untracked: frozenset[str] = frozenset({"", "false", "0", "no"})
    prices: str = ""  # prices in other currencies, such as `Price {currency}`
    # Key in the metadata → headers, of a product and of each variant.
    kept: Mapping[str, Headers] = field(default_factory=dict)
    kept_of_variant: Mapping[str, Headers] = field(default_factory=dict)
    # Line breaks are written as a backslash and an n.
    escaped_breaks: bool = False
    # Cells may be guarded or exact (`imports.marks`).
    marked: bool = False


def _split(text: str, separator: str) -> list[str]:
    """The pieces between separators; one behind a backslash is none."""
    pieces = re.split(rf"(?<!\\){re.escape(separator)}", text)
    return [piece.strip().replace(f"\\{separator}", separator) for piece in pieces]
