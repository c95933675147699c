"""What in a preview should make people look twice, and who may approve it all the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import QuerySet

from imports.models import ImportRun
from shop.models import Product

RISKY = "imports.approve_risky_import"


class NotAccepted(Exception):  # noqa: N818 - an outcome, not a fault
    """The preview has warnings that nobody accepted, or nobody who may; the text says which."""


def warnings_of(run: ImportRun) -> list[dict[str, Any]]:
    """What to warn of in a complete forecast: code, message, figure, limit of each, and whether it takes a
    `second` person. Figures and limits are percentages for shares, else numbers."""
    return [*_rejected(run), *_prices(run), *_ended_stock(run), *_taken_out(run), *_categories(run)]


def must_be_accepted(run: ImportRun, *, by: Any, accept_warnings: bool) -> None:
    """Raise NotAccepted unless this user (None: the command line) may approve the run so."""
    if run.warnings and not accept_warnings:
        told = " ".join(warning["message"] for warning in run.warnings)
        raise NotAccepted(f"Accept the preview's warnings to go on, or discard it. {told}")
    strong = [warning["message"] for warning in run.warnings if warning["second"]]
    if strong and by is not None and not by.has_perm(RISKY):
        raise NotAccepted(
            "This takes somebody with the permission “Can approve an import whose preview gives strong"
            f" warnings”. {' '.join(strong)}"
        )


def needs_second(run: ImportRun) -> bool:
    """Whether a previewed run waits for somebody else than its owner: who may approve it needs nobody."""
    strong = any(warning["second"] for warning in run.warnings)
    return strong and not (run.owner is not None and run.owner.has_perm(RISKY))


def approvers() -> QuerySet[Any]:
    """The active staff who may approve a preview with strong warnings, by user name."""
    users = get_user_model().objects.with_perm(RISKY, backend=settings.AUTHENTICATION_BACKENDS[0])
    return users.filter(is_staff=True).order_by("username")


def _rejected(run: ImportRun) -> Iterator[dict[str, Any]]:
    rejected, limit = run.rejected + run.forecast["reject"], settings.IMPORT_WARN_REJECTED_PERCENT
    if (share := _percent(rejected, run.rows)) > limit:
        message = f"{_of(rejected, run.rows, 'row')} would be rejected."
        yield _warning("rejected", message, share, limit)


def _prices(run: ImportRun) -> Iterator[dict[str, Any]]:
    """A limit of 0 has no multiple, so prices that leap, by several times as much, take a second person."""
    jumps, limit = run.forecast["price_jumps"], settings.IMPORT_WARN_PRICE_ROWS
    if jumps > limit:
        percent, leaps = settings.IMPORT_WARN_PRICE_PERCENT, run.forecast["price_leaps"]
        message = f"The price of {_number(jumps, 'product')} would change by more than {percent:g} %."
        if leaps > limit:
            factor = 1 + percent / 100 * settings.IMPORT_SECOND_PERSON_FACTOR
            message += f" {leaps:,} of them would cost more than {factor:g} times as much, or as little."
        warning = _warning("price_jumps", message, jumps, limit)
        yield warning | {"second": leaps > limit or bool(limit and warning["second"])}


def _ended_stock(run: ImportRun) -> Iterator[dict[str, Any]]:
    touched = run.unchanged + sum(run.forecast[name] for name in ("create", "update", "unchanged", "remove"))
    ended, limit = run.forecast["to_zero"], settings.IMPORT_WARN_ZERO_STOCK_PERCENT
    if (share := _percent(ended, touched)) > limit:
        message = f"The stock of {_of(ended, touched, 'product')} would go to zero."
        yield _warning("to_zero", message, share, limit)


def _taken_out(run: ImportRun) -> Iterator[dict[str, Any]]:
    """Measured against the whole catalogue, not the file: a list of ten to be taken out is no mishap."""
    gone = sum(run.forecast.get(name, 0) for name in ("unpublished", "remove", "unlisted"))
    if not gone:
        return
    products, limit = Product.objects.count(), settings.IMPORT_WARN_UNPUBLISH_PERCENT
    if (share := _percent(gone, products)) > limit:
        message = f"{_of(gone, products, 'product')} in the catalogue would be unpublished or deleted."
        yield _warning("unpublished", message, share, limit)


def _categories(run: ImportRun) -> Iterator[dict[str, Any]]:
    count, first = run.forecast["categories"]["count"], run.forecast["categories"]["first"]
    limit = settings.IMPORT_WARN_NEW_CATEGORIES
    if count > limit:
        names = ", ".join(f"“{name}”" for name in first) + (", …" if count > len(first) else "")
        message = f"{_number(count, 'category')} would be created: {names}."
        # Nothing is lost by them, and the first file of a shop creates hundreds: never two people's matter.
        yield _warning("categories", message, count, limit) | {"second": False}


def _warning(code: str, message: str, figure: float, limit: float) -> dict[str, Any]:
    second = figure > limit * settings.IMPORT_SECOND_PERSON_FACTOR
    return {"code": code, "message": message, "figure": figure, "limit": limit, "second": second}


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0


def _of(part: int, whole: int, what: str) -> str:
    return f"{part:,} of {_number(whole, what)} ({_percent(part, whole):g} %)"


def _number(count: int, what: str) -> str:
    plural = "categories" if what == "category" else f"{what}s"
    return f"{count:,} {what if count == 1 else plural}"
