"""A field before and after, as people read it."""

from __future__ import annotations

from typing import Any

import pytest

from imports.contrasting import Contrast, Line, contrast, value


def marked(lines: list[Line]) -> list[str]:
    """Lines as text, what differs in brackets."""
    return ["".join(f"[{part.text}]" if part.changed else part.text for part in line) for line in lines]


def both(one: Contrast) -> tuple[list[str], list[str], str]:
    return marked(one.before), marked(one.after), one.note


@pytest.mark.parametrize(
    ("name", "before", "after", "shown"),
    [
        ("price", 12.5, 14, (["[12.50]"], ["[14.00]"], "+12 %")),
        ("price", 1200, 1194.0, (["[1,200.00]"], ["[1,194.00]"], "−0.5 %")),
        ("price", 0.01, 1000, (["[0.01]"], ["[1,000.00]"], "+9,999,900 %")),
        ("stock", 0, 12_000, (["[0]"], ["[12,000]"], "")),
        ("stock", 4, 0, (["[4]"], ["[0]"], "−100 %")),
        ("published", True, False, (["[yes]"], ["[no]"], "")),
        ("category", "Home", None, (["[Home]"], [], "")),
        ("description", "", "Oak", ([], ["[Oak]"], "")),
    ],
)
def test_plain_values_are_written_as_people_write_them(
    name: str, before: Any, after: Any, shown: tuple[list[str], list[str], str]
) -> None:
    assert both(contrast(name, before, after)) == shown


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("Oak board", "Oak board, large", (["Oak [board]"], ["Oak [board, large]"])),
        ("Oak board", "Oak board large", (["Oak board"], ["Oak board[ large]"])),
        ("Small oak board", "Large oak board", (["[Small] oak board"], ["[Large] oak board"])),
        ("red red", "red red red", (["red red"], ["red red[ red]"])),
        ("A", "B", (["[A]"], ["[B]"])),
    ],
)
def test_text_marks_the_words_that_differ(
    before: str, after: str, shown: tuple[list[str], list[str]]
) -> None:
    assert both(contrast("name", before, after))[:2] == shown


def test_long_text_is_cut_around_what_differs_at_words() -> None:
    head, tail = "Oiled by hand. " * 40, " Keeps for years." * 40
    [before], [after], _ = both(contrast("description", f"{head}Green{tail}", f"{head}Blue{tail}"))
    assert before == "…by hand. Oiled by hand. Oiled by hand. [Green] Keeps for years. Keeps for years.…"
    assert after == "…by hand. Oiled by hand. Oiled by hand. [Blue] Keeps for years. Keeps for years.…"


def test_long_text_without_spaces_shows_what_differs() -> None:
    before, after, _ = both(
        contrast("description", "木" * 500 + "x" + "木" * 500, "木" * 500 + "y" + "木" * 500)
    )
    assert (before, after) == ([f"…{'木' * 40}[x]{'木' * 40}…"], [f"…{'木' * 40}[y]{'木' * 40}…"])


def test_long_new_text_keeps_both_ends() -> None:
    [shown] = marked(value("description", "a" * 500 + "z" * 500).after)
    assert shown == f"[{'a' * 60} … {'z' * 60}]"


def test_object_shows_only_the_keys_that_differ() -> None:
    shown = contrast("metadata", {"a": 1, "b": "x", "gone": True}, {"a": 2, "b": "x", "new": {"c": [1]}})
    assert both(shown)[:2] == (["a: [1]", "gone: [yes]"], ["a: [2]", 'new: [{"c": [1]}]'])


def test_object_with_many_differing_keys_says_how_many_more() -> None:
    keys = {f"k{number}": number for number in range(12)}
    assert marked(contrast("metadata", {}, keys).after)[-2:] == ["k7: [7]", "and 4 more"]


def test_images_show_those_that_come_and_go() -> None:
    shown = contrast("images", ["a.jpg", "b.jpg"], ["b.jpg", "c.jpg"])
    assert both(shown)[:2] == (["[a.jpg]"], ["[c.jpg]"])


def test_images_in_another_order_are_shown_in_both() -> None:
    shown = contrast("images", ["a.jpg", "b.jpg"], ["b.jpg", "a.jpg"])
    assert both(shown)[:2] == (["[a.jpg]", "[b.jpg]"], ["[b.jpg]", "[a.jpg]"])


def test_field_is_called_as_on_the_other_pages() -> None:
    assert [contrast(name, 1, 2).label for name in ("price", "options", "backordered")] == [
        "Price",
        "Options",
        "Backordered",
    ]
