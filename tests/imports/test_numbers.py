"""Numbers as people write them, against a writer and a reader that know nothing of the code under test."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imports import numbers
from imports.columns import BY_NAME, CellError

STYLES = ("point", "comma")
GROUPS = {"point": ",", "comma": "."}
DECIMALS = {"point": ".", "comma": ","}
NEUTRAL_GROUPS = ("", "'", "’", " ", "\u00a0", "\u202f")


def price(text: str, **chosen: str) -> str:
    """The cell as it is stored, or the code of its error."""
    try:
        return BY_NAME["price"](chosen).clean(text)
    except CellError as error:
        return error.code


def stock(text: str, **chosen: str) -> str:
    try:
        return BY_NAME["stock"](chosen).clean(text)
    except CellError as error:
        return error.code


# --- A writer: figures to text


def written(cents: int, style: str, group: str, decimals: int) -> str:
    """An amount as someone who writes numbers so would write it; `decimals` 0 drops the cents."""
    whole, rest = str(cents // 100), f"{cents % 100:02}"
    groups: list[str] = []
    while len(whole) > 3:
        groups.insert(0, whole[-3:])
        whole = whole[:-3]
    return group.join([whole, *groups]) + (DECIMALS[style] + rest[:decimals] if decimals else "")


@st.composite
def amounts(draw: st.DrawFn) -> tuple[Decimal, str, str]:
    """(value, how it is written, style)."""
    style = draw(st.sampled_from(STYLES))
    decimals = draw(st.sampled_from([0, 1, 2]))
    cents = draw(st.integers(0, 10**11)) // 10 ** (2 - decimals) * 10 ** (2 - decimals)
    group = draw(st.sampled_from([GROUPS[style], *NEUTRAL_GROUPS]))
    return Decimal(cents) / 100, written(cents, style, group, decimals), style


SURROUNDED = st.sampled_from(
    [("", "", ""), ("€ ", "", "EUR"), ("", " €", "EUR"), ("$", "", "USD"), ("", " USD", "USD"),
     ("Rs.", "", "INR"),
     ("CHF\u00a0", "", "CHF"), ("", " kr.", "SEK"), ("", "\u202fzł", "PLN"), ("", " Euro", "EUR")]
)  # fmt: skip


@given(amounts(), SURROUNDED)
def test_price_in_the_format_of_its_column_is_read_as_it_was_meant(
    amount: tuple[Decimal, str, str], around: tuple[str, str, str]
) -> None:
    value, text, style = amount
    before, after, currency = around
    assert Decimal(price(f"{before}{text}{after}", format=style, currency=currency)) == value


@given(amounts())
def test_price_of_an_unknown_format_is_read_as_it_was_meant_or_refused(
    amount: tuple[Decimal, str, str],
) -> None:
    value, text, _ = amount
    answer = price(text)
    assert answer == "ambiguous_number" or Decimal(answer) == value


@given(amounts())
def test_price_in_the_other_format_is_never_read_as_another_amount_unless_it_may_be_meant(
    amount: tuple[Decimal, str, str],
) -> None:
    value, text, style = amount
    other = "comma" if style == "point" else "point"
    answer = price(text, format=other)
    doubtful = len(text) > 3 and text[-4] in ".," and text.count(text[-4]) == 1  # 1.234
    refused = answer in ("other_number_format", "too_many_decimals")
    assert refused or Decimal(answer) == value or doubtful


@given(st.lists(amounts(), min_size=1, max_size=8))
def test_detected_format_is_never_the_wrong_one(column: list[tuple[Decimal, str, str]]) -> None:
    style = column[0][2]
    texts = [text for _, text, own in column if own == style]
    assert numbers.detect(texts).get("format", style) == style


# --- A reader: from right to left, one character at a time


def oracle(text: str, style: str) -> Decimal | None:
    """The plain number that the text is in this style."""
    sign = 1
    if text[:1] in ("+", "-"):
        sign, text = (-1 if text[0] == "-" else 1), text[1:]
    whole, point, decimals = text.rpartition(DECIMALS[style])
    if not point:
        whole, decimals = text, ""
    if style == "point" and is_indian(whole):
        whole = whole.replace(",", "")
    if any(character not in "0123456789" for character in decimals):
        return None
    digits, run, used = "", 0, ""
    for character in reversed(whole):
        if character in "0123456789":
            digits, run = character + digits, run + 1
        elif character in (GROUPS[style], *NEUTRAL_GROUPS[1:]) and run == 3 and used in ("", character):
            used, run = character, 0
        else:
            return None
    if used and (run not in (1, 2, 3) or digits[0] == "0"):
        return None
    return Decimal(f"{digits or 0}.{decimals or 0}") * sign if digits or decimals else None


def is_indian(whole: str) -> bool:
    """Three digits at the end, two in each group before them: 12,34,567."""
    groups = whole.split(",")
    if len(groups) < 3 or not all(group and set(group) <= set("0123456789") for group in groups):
        return False
    first, *pairs, last = map(len, groups)
    return last == 3 and set(pairs) == {2} and first < 3 and whole[0] != "0"


def expected(texts: Sequence[str], style: str) -> list[Decimal]:
    """The different values that the styles make of the text."""
    values = [oracle(text, one) for text in texts for one in (STYLES if style == "auto" else (style,))]
    return [value for at, value in enumerate(values) if value is not None and value not in values[:at]]


@given(st.text("0123456789.,' +-", min_size=1, max_size=12), st.sampled_from(["auto", "point", "comma"]))
@example("1.234", "auto")
@example("0.234", "auto")
@example("1,234,567", "comma")
@example("1.234 567", "comma")
@example("1234,567", "point")
@example("1.234.56", "auto")
@example("12,34,567.5", "auto")
@example("123,45,678", "point")
@example("1,23,456,789", "point")
def test_any_text_is_read_like_the_oracle_reads_it(text: str, style: str) -> None:
    assert [Decimal(plain) for plain in numbers.readings(text, style)] == expected([text], style)


# --- Examples


@pytest.mark.parametrize(
    ("text", "chosen", "answer"),
    [
        ("1.234,56", {"format": "comma"}, "1234.56"),
        ("1.234", {"format": "comma"}, "1234.00"),
        ("1 234,56", {}, "1234.56"),
        ("1'234.56", {}, "1234.56"),
        ("1.234", {}, "ambiguous_number"),
        ("1,234", {}, "ambiguous_number"),
        ("1,234", {"format": "point"}, "1234.00"),
        ("12,50", {"format": "point"}, "other_number_format"),
        ("12.50", {"format": "comma"}, "other_number_format"),
        ("1.234", {"format": "point"}, "too_many_decimals"),
        ("1.234,-", {}, "1234.00"),
        ("€ 12,50", {"currency": "EUR"}, "12.50"),
        ("12.50 USD", {"currency": "USD"}, "12.50"),
        ("$12.50", {"currency": "CAD"}, "12.50"),
        ("12.50 USD", {"currency": "EUR"}, "other_currency"),
        ("12.50 USD", {}, "currency_not_chosen"),
        ("EUR 12 USD", {"currency": "EUR"}, "other_currency"),
        ("-€ 12", {"currency": "EUR"}, "negative_price"),
        ("€ −12", {"currency": "EUR"}, "negative_price"),
        ("Rs.500", {"currency": "INR"}, "500.00"),
        ("$.50", {"currency": "USD"}, "0.50"),
        ("12.50 €/kg", {"currency": "EUR"}, "not_a_price"),
        ("2 x 12.50", {}, "not_a_price"),
        ("12 pcs", {}, "not_a_price"),
        ("(12)", {}, "negative_price"),
        ("($1,234.50)", {"currency": "USD"}, "negative_price"),
        ("(-12)", {}, "not_a_price"),
        ("((12))", {}, "not_a_price"),
        ("12,50-", {}, "negative_price"),
        ("12,50 €-", {"currency": "EUR"}, "negative_price"),
        ("-12-", {}, "not_a_price"),
        ("0.00-", {}, "0.00"),
        ("12,34,567.89", {}, "1234567.89"),
        ("1,23,456", {}, "123456.00"),
        ("12,34,567", {"format": "comma"}, "other_number_format"),
        ("1\u2009234,56", {}, "1234.56"),
        ("1\u202f234,56\u00a0€", {"currency": "EUR"}, "1234.56"),
        ("19 %", {}, "percentage"),
        ("EUR12", {"currency": "EUR"}, "12.00"),
        ("1.2.2024", {}, "not_a_price"),
    ],
)
def test_price(text: str, chosen: dict[str, str], answer: str) -> None:
    assert price(text, **chosen) == answer


@pytest.mark.parametrize(
    ("text", "chosen", "answer"),
    [
        ("1.250", {"format": "comma"}, "1250"),
        ("1.250", {"format": "point"}, "not_whole"),
        ("25.000", {"format": "point"}, "25"),
        ("25.0000", {}, "25"),
        ("1,250", {}, "ambiguous_number"),
        ("25 Stück", {}, "25"),
        ("25 uds.", {}, "25"),
        ("€ 25", {}, "not_a_number"),
        ("50 %", {}, "percentage"),
        ("12-pack", {}, "not_a_number"),
        ("12 pcs", {}, "12"),
        ("3 Stk.", {}, "3"),
        ("5-", {}, "negative_stock"),
        ("2,5", {"format": "point"}, "other_number_format"),
    ],
)
def test_stock(text: str, chosen: dict[str, str], answer: str) -> None:
    assert stock(text, **chosen) == answer


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (["1.234,56"], {"format": "comma"}),
        (["7", "12,5"], {"format": "comma"}),
        (["1.234", "€ 3,90"], {"format": "comma", "currency": "EUR"}),
        (["12.50 USD"], {"format": "point", "currency": "USD"}),
        (["$3", "CAD 4"], {"currency": "CAD"}),
        (["$3", "4 €"], {}),
        (["1.234"], {}),
        (["1.234", "5,678", "9"], {}),
        (["12,5", "12.5"], {}),
        (["12,5"] * 9 + ["12.5"], {"format": "comma"}),
        (["12,5"] * 8 + ["12.5"], {}),
        (["4 €"] * 9 + ["$3"], {"currency": "EUR"}),
        (["Size 12,5", "12,5 x 4"], {}),
        (["", "n/a"], {}),
        ([], {}),
    ],
)
def test_format_and_currency_are_told_by_cells_that_can_be_read_in_one_way(
    cells: list[str], found: dict[str, str]
) -> None:
    assert numbers.detect(cells) == found


def test_message_about_the_other_format_says_what_to_write() -> None:
    with pytest.raises(CellError) as refused:
        BY_NAME["price"]({"format": "comma"}).clean("1,234.50")
    assert str(refused.value) == (
        "“1,234.50” is not written like this column’s other numbers (1.234,56). Write 1234,50, or choose"
        " the other format (price.format)."
    )
