"""A cell that we take for equal to the catalogue is equal in PostgreSQL's eyes, for any value."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from imports.columns import BY_NAME


def ask(expression: str, *values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {expression}", values)
        return cursor.fetchone()[0]


QUICK = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
_JSON = st.dictionaries(
    _TEXT,
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
        max_leaves=8,
    ),
    max_size=4,
)


@pytest.mark.django_db
@QUICK
@given(_JSON)
def test_metadata_is_compared_as_postgresql_writes_it(value: dict[str, Any]) -> None:
    column, text = BY_NAME["metadata"](), json.dumps(value)
    ours, theirs = column.comparable(column.clean(text)), ask("%s::jsonb::text", text)

    unusual = any(sign in ours for sign in ("e+", "e-", "-0.0"))
    assert ours == theirs or unusual


@pytest.mark.django_db
@QUICK
@given(st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,2})?", fullmatch=True))
@example("0.10000000000000000001")
@example("1e-400")
@example("12345678901234567890.0")
def test_metadata_numbers_are_never_falsely_equal(number: str) -> None:
    column = BY_NAME["metadata"]()
    ours = column.comparable(column.clean(f'{{"n": {number}}}'))

    if ours:
        assert ask("%s::jsonb = %s::jsonb", ours, f'{{"n": {number}}}') is True


@pytest.mark.django_db
@QUICK
@given(st.from_regex(r"[+]?([0-9]{1,9}(\.[0-9]{0,2}0{0,3})?|\.[0-9]{1,2})", fullmatch=True))
def test_price_is_compared_as_postgresql_writes_it(text: str) -> None:
    column = BY_NAME["price"]()
    cleaned = column.clean(text)

    assert column.comparable(cleaned) == ask("%s::numeric(12,2)::text", cleaned)
    assert Decimal(cleaned) == Decimal(text)


@pytest.mark.django_db
@QUICK
@given(st.from_regex(r"[+]?0{0,4}[0-9]{1,9}(\.0{0,3})?", fullmatch=True))
def test_stock_is_compared_as_postgresql_writes_it(text: str) -> None:
    column = BY_NAME["stock"]()
    cleaned = column.clean(text)

    assert column.comparable(cleaned) == ask("%s::integer::text", cleaned)


@pytest.mark.django_db
@QUICK
@given(st.booleans())
def test_yes_and_no_are_compared_as_postgresql_writes_them(value: bool) -> None:
    column = BY_NAME["published"]()
    cleaned = column.clean("yes" if value else "no")

    assert column.comparable(cleaned) == ask("concat_ws('', %s::boolean)", value)
