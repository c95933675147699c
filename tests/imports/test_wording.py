"""How things are told to people."""

from __future__ import annotations

import pytest

from imports.wording import by_number


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "products that were left out, with their lines"),
        (1, "product that was left out, with its line"),
        (2, "products that were left out, with their lines"),
    ],
)
def test_words_about_things_follow_their_number(number: int, said: str) -> None:
    assert by_number("product(s) that (was|were) left out, with (its|their) line(s)", number) == said
