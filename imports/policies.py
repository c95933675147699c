"""What an import does besides writing rows: with broken ones, and with products that the file lacks."""

from __future__ import annotations

from typing import Any, TypedDict, Unpack

from imports.choices import MappingError
from imports.models import ImportRun
from shop import categories
from shop.models import Category

_LONGEST_SOURCE = 60  # characters
_MOST_ERRORS = 1_000_000_000  # more rows than any file has


class Policies(TypedDict, total=False):
    """What may be chosen; the fields of a run with the same names say what each means."""

    errors: str
    error_limit: int
    mirror: str
    mirror_category: Category | None
    source: str


def checked(*, mode: str, **chosen: Unpack[Policies]) -> dict[str, Any]:
    """Return the fields of a run as these choices make them. Raises MappingError naming what does not fit."""
    errors, error_limit = chosen.get("errors", ImportRun.Errors.LAND), chosen.get("error_limit", 0)
    mirror, mirror_category = chosen.get("mirror", ImportRun.Mirror.OFF), chosen.get("mirror_category")
    source = chosen.get("source", "").strip()
    _check_source(source)
    removes = ImportRun(mode=mode).removes
    if removes and (mirror or source):
        what = "unpublish what the file lacks" if mirror else "remember a source"
        raise MappingError(
            f"An import that takes out the listed products can't {what} as well. Leave one of the two out."
        )
    if mirror == ImportRun.Mirror.CATEGORY and mirror_category is None:
        raise MappingError(
            "Say in which category products that the file lacks are unpublished, such as Home > Kitchen."
        )
    if mirror == ImportRun.Mirror.SOURCE and not source:
        raise MappingError("Name the source whose products are unpublished where the file lacks them.")
    if errors == ImportRun.Errors.LIMIT and not 0 <= error_limit <= _MOST_ERRORS:
        raise MappingError(f"Say after how many broken rows to stop: 0 to {_MOST_ERRORS:,}.")
    return {
        "mode": mode,
        "errors": errors,
        "error_limit": error_limit if errors == ImportRun.Errors.LIMIT else 0,
        "mirror": mirror,
        "mirror_category": mirror_category if mirror == ImportRun.Mirror.CATEGORY else None,
        "source": source,
    }


def _check_source(source: str) -> None:
    if len(source) > _LONGEST_SOURCE or not source.isprintable():
        raise MappingError(
            f"The name of a source has up to {_LONGEST_SOURCE} characters and no line breaks. Shorten it."
        )


def category_named(path: str) -> Category:
    """The category written `A > B > C`, without regard to case and spacing; raises MappingError."""
    names = categories.split_path(path)
    found = Category.objects.filter(key=categories.key_of(names)).first()
    if found is None:
        raise MappingError(
            f"There is no category “{path.strip()}”. Write its path as the catalogue has it, such as"
            " Home > Kitchen."
        )
    return found


def terms(run: ImportRun) -> list[str]:
    """What was chosen for the run beyond the usual, as sentences."""
    said = []
    if run.mode != ImportRun.Mode.UPSERT:
        said.append(f"{run.get_mode_display()}.")
    if run.errors == ImportRun.Errors.NOTHING:
        said.append("If any row is broken, nothing is imported.")
    if run.errors == ImportRun.Errors.LIMIT:
        said.append(f"It stops when more than {_rows(run.error_limit)} broken.")
    if run.source:
        said.append(f"Its products belong to the source “{run.source}”.")
    if run.mirror == ImportRun.Mirror.SOURCE:
        said.append("Products of that source that the file lacks are unpublished.")
    if run.mirror == ImportRun.Mirror.CATEGORY:
        where = f"“{run.mirror_category}”" if run.mirror_category else "a category that is gone"
        said.append(f"Products in {where} that the file lacks are unpublished.")
    return said


def stops(run: ImportRun, *, at_check: bool = True) -> bool:
    """Whether it has more broken rows than are put up with. Before the check is done, an import that is to
    write nothing goes on, so that all broken rows are listed."""
    if run.errors == ImportRun.Errors.NOTHING:
        return at_check and run.rejected > 0
    return run.errors == ImportRun.Errors.LIMIT and run.rejected > run.error_limit


def why_stopped(run: ImportRun) -> str:
    """What is said of a run that `stops`."""
    if run.errors == ImportRun.Errors.NOTHING:
        said = f"{_rows(run.rejected)} broken, and this import was to write nothing in that case."
    else:
        said = (
            f"{_rows(run.rejected)} broken, more than the {run.error_limit:,} that this import puts up with."
        )
    if run.state != ImportRun.State.LOADING:
        return (
            f"{said} Nothing was written to the catalogue. The rejected rows are listed, each with what is"
            " wrong: mend them and import the file again."
        )
    return (
        f"{said} That came out only while it was writing. What had been written by then stays; undo this"
        " import to take it back."
    )


def _rows(count: int) -> str:
    return "1 row is" if count == 1 else f"{count:,} rows are"
