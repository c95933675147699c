"""What a preview warns of, and who may approve it all the same."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User

from imports import pipeline
from imports.blast_radius import NotAccepted
from imports.models import ImportRun
from tests.imports.previews import preview
from tests.imports.running import import_rows, row

pytestmark = pytest.mark.django_db(transaction=True)

MANY = [row(f"S{number:02}", price="10") for number in range(20)]


def warned(run: ImportRun) -> list[tuple[str, float, float, bool]]:
    """(code, figure, limit, second) of each warning."""
    return [(one["code"], one["figure"], one["limit"], one["second"]) for one in run.warnings]


def changed(count: int, **cells: str) -> list[dict[str, str]]:
    """The first so many of twenty rows with other cells, then the rest as they were."""
    return [{**one, **cells} if number < count else one for number, one in enumerate(MANY)]


@pytest.mark.parametrize(
    ("count", "cells", "warnings"),
    [
        (1, {"price": "x"}, []),
        (2, {"price": "x"}, [("rejected", 10.0, 5.0, False)]),
        (4, {"price": "x"}, [("rejected", 20.0, 5.0, True)]),
        (20, {"price": "15"}, []),
        (20, {"price": "5"}, []),
        (1, {"price": "15.01"}, [("price_jumps", 1, 0, False)]),
        (2, {"price": "4.99"}, [("price_jumps", 2, 0, False)]),
        (1, {"price": "25.01"}, [("price_jumps", 1, 0, True)]),
        (1, {"price": "3.99"}, [("price_jumps", 1, 0, True)]),
        (2, {"stock": "0"}, []),
        (3, {"stock": "0"}, [("to_zero", 15.0, 10.0, False)]),
        (7, {"stock": "0"}, [("to_zero", 35.0, 10.0, True)]),
    ],
)
def test_more_than_the_limit_is_warned_of(
    count: int, cells: dict[str, str], warnings: list[tuple[str, float, float, bool]]
) -> None:
    import_rows(MANY)
    assert warned(preview(changed(count, **cells))) == warnings


@pytest.mark.parametrize(
    ("count", "warnings"),
    [(1, []), (2, [("unpublished", 10.0, 5.0, False)]), (4, [("unpublished", 20.0, 5.0, True)])],
)
def test_share_of_the_catalogue_that_is_taken_off_is_warned_of(
    count: int, warnings: list[tuple[str, float, float, bool]]
) -> None:
    import_rows(MANY)
    run = preview([{"sku": one["sku"], "published": "no"} for one in MANY[:count]])
    assert warned(run) == warnings


def test_several_prices_beyond_a_limit_of_some(settings: Any) -> None:
    settings.IMPORT_WARN_PRICE_ROWS = 2
    import_rows(MANY)
    runs = [preview(changed(count, price="16")) for count in (2, 3, 7)]
    assert [warned(run) for run in runs] == [
        [], [("price_jumps", 3, 2, False)], [("price_jumps", 7, 2, True)],
    ]  # fmt: skip


def test_new_categories_are_counted_with_those_above_them_and_named(settings: Any) -> None:
    settings.IMPORT_WARN_NEW_CATEGORIES = 2
    import_rows([row("A", category="Home")])
    run = preview([row("A", category="Home > Kitchen"), row("B", category="home > Garden > Tools")])

    assert run.warnings == [
        {
            "code": "categories",
            "message": "3 categories would be created: “Home > Kitchen”, “home > Garden”,"
            " “home > Garden > Tools”.",
            "figure": 3,
            "limit": 2,
            "second": False,
        }
    ]


def test_warning_says_it_in_numbers() -> None:
    import_rows(MANY)
    [warning] = preview(changed(3, price="x")).warnings
    assert warning["message"] == "3 of 20 rows (15 %) would be rejected."


def test_prices_that_leap_are_told_apart() -> None:
    import_rows(MANY)
    [warning] = preview([*changed(1, price="100")[:1], *changed(2, price="16")[1:]]).warnings
    assert warning["message"] == (
        "The price of 2 products would change by more than 50 %."
        " 1 of them would cost more than 2.5 times as much, or as little."
    )


def test_warnings_must_be_accepted() -> None:
    import_rows(MANY)
    run = preview(changed(2, price="x"))

    with pytest.raises(NotAccepted) as refused:
        pipeline.approve(run=run)
    assert str(refused.value) == (
        "Accept the preview's warnings to go on, or discard it. 2 of 20 rows (10 %) would be rejected."
    )
    run.refresh_from_db()
    assert run.state == "previewed"
    assert pipeline.approve(run=run, accept_warnings=True).state == "loading"


def test_preview_without_warnings_needs_no_acceptance() -> None:
    assert pipeline.approve(run=preview([row("A")])).state == "loading"


@pytest.mark.parametrize("is_trusted", [False, True])
def test_strong_warning_takes_somebody_with_the_permission(is_trusted: bool) -> None:
    import_rows(MANY)
    run = preview(changed(9, price="x"))
    user = User.objects.create_user("ada")
    if is_trusted:
        user.user_permissions.add(Permission.objects.get(codename="approve_risky_import"))

    if is_trusted:
        assert pipeline.approve(run=run, by=user, accept_warnings=True).approved_by == user
    else:
        with pytest.raises(NotAccepted, match="This takes somebody with the permission"):
            pipeline.approve(run=run, by=user, accept_warnings=True)


def test_command_line_may_accept_strong_warnings() -> None:
    import_rows(MANY)
    assert pipeline.approve(run=preview(changed(9, price="x")), accept_warnings=True).state == "loading"
