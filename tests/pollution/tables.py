"""The clean tables that are polluted: invented, the same every time, and like what shops really export."""

import random
from dataclasses import dataclass
from datetime import date, timedelta

ROWS = 84
_WORDS = (
    "Light", "Warm", "Sturdy", "Café", "Folding", "Brushed", "Hand-sewn", "Reversible", "Slim", "Vintage",
    "Quilted", "Enamelled", "Waterproof", "Short", "Wide", "Woven",
)  # fmt: skip
_THINGS = {
    "Tents": ("tent", "tarp", "awning"),
    "Kitchen": ("kettle", "pan", "lunch box", "grater"),
    "Rods & Reels": ("rod", "reel", "landing net"),
    "Outerwear": ("parka", "rain jacket", "gilet"),
}
_ENDINGS = (
    "for two to three people",
    "with a lid, a handle and a pouch",
    'the 12" model',
    "ideal for rivers, lakes and the open sea; it isn't sold in pairs",
    'known as "the old one", now back',
    "",
    "made of 60% cotton, 40% linen",
)
_COMMENTS = ("", "", "", "Gift wrapped", "", "Second delivery, first was lost", "", "Customer's own bag")


@dataclass(frozen=True)
class Style:
    """How rows are written."""

    delimiter: str = ","
    quote: str = '"'  # "" for none: then `escape` is needed
    escape: str = ""  # in front of a quote in a cell instead of doubling it
    line_end: str = "\r\n"
    all_quoted: bool = False

    def cell(self, text: str) -> str:
        """The cell as it is written in the file."""
        if not self.quote:
            return text.replace("\\", "\\\\").replace(self.delimiter, self.escape + self.delimiter)
        special = {self.quote, "\n", "\r", self.delimiter.strip(" ") or " "}
        if not self.all_quoted and not any(sign in text for sign in special):
            return text
        return self.quote + text.replace(self.quote, (self.escape or self.quote) + self.quote) + self.quote

    def cells(self, row: list[str]) -> list[str]:
        return [self.cell(text) for text in row]

    def line(self, row: list[str]) -> str:
        """The row as a line, without its end."""
        return self.delimiter.join(self.cells(row))


@dataclass(frozen=True)
class Table:
    """A clean table and how it is written where nothing else is said."""

    name: str
    header: list[str] | None
    rows: list[list[str]]
    style: Style

    @property
    def width(self) -> int:
        return len(self.rows[0])

    @property
    def shown_header(self) -> list[str]:
        """What the importer calls the columns."""
        return self.header or [f"Column {number}" for number in range(1, self.width + 1)]


def retail() -> Table:
    """84 sales in 9 columns, written with commas; two descriptions go over two lines."""
    chance = random.Random(84)
    header = ["Date", "Time", "Qty", "Product ID", "Price", "Type", "Description", "URL", "Comment"]
    return Table("retail", header, [_sale(chance, number) for number in range(ROWS)], Style())


def _sale(chance: random.Random, number: int) -> list[str]:
    kind = chance.choice(list(_THINGS))
    key = f"{kind[:2].upper()}_{1000 + 37 * number}"
    comma, ending = ", " if chance.random() < 0.5 else " ", chance.choice(_ENDINGS)
    description = f"{chance.choice(_WORDS)} {chance.choice(_THINGS[kind])}{comma if ending else ''}{ending}"
    if number in (29, 60):
        description += ".\nSee the label, too"
    return [
        (date(2024, 3, 1) + timedelta(days=number // 3)).strftime("%m/%d/%Y"),
        f"{1 + chance.randrange(11)}:{chance.randrange(60):02} {'AM' if number % 2 else 'PM'}",
        str(1 + chance.randrange(5)),
        key,
        f"{chance.randrange(300)}.{chance.choice(('00', '50', '95'))}",
        kind,
        description,
        f"https://www.example.com/product/{key}.html",
        chance.choice(_COMMENTS),
    ]


def german() -> Table:
    """84 products in 4 columns without a header: number, name, price and stock, with semicolons."""
    chance = random.Random(4)
    return Table(
        "german", None, [_product(chance, number) for number in range(ROWS)], Style(";", line_end="\n")
    )


def _product(chance: random.Random, number: int) -> list[str]:
    name = (
        f"{chance.choice(('Große', 'Kleine', 'Süße', 'Blaue'))} {chance.choice(('Kanne', 'Dose', 'Lampe'))}"
    )
    name += chance.choice(("", ", matt", " „Anna“", '; 12" hoch', " (2er-Set)", " m. Deckel"))
    euros = chance.choice((chance.randrange(1, 999), chance.randrange(1000, 9999)))
    price = f"{euros:,}".replace(",", ".") + f",{chance.randrange(100):02}"
    return [f"{4000 + 7 * number}-{number % 9}", name, price, str(chance.randrange(500))]
