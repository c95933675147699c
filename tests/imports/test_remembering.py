"""What was chosen for a file is the first guess for the next one with the same header."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from imports import columns, pipeline, receiving
from imports.models import ImportRun, SavedMapping
from shop.models import Category
from tests.imports.running import receive

pytestmark = pytest.mark.django_db

FILE = "Artikelnr,Titel,EK,VK\nA,Bowl,1.00,2.00\n"
GUESSED = {"sku": 0, "name": 1, "price": 3}
CHOSEN: dict[str, Any] = {
    "mapping": {"sku": 0, "name": 1, "price": 2},
    "options": {"price": {"format": "point", "currency": "EUR"}},
    "constants": {"category": "Home > Kitchen"},
    "blank": "clear",
    "clear_token": "-",
    "keep_unknown": True,
    "stock_as": "adjust",
    "source": "acme",
}
USUAL: dict[str, Any] = {
    "options": {},
    "constants": {},
    "blank": "keep",
    "clear_token": "__clear__",
    "keep_unknown": False,
    "stock_as": "set",
    "source": "",
}
READ = {"encoding": "utf-8", "delimiter": ","}


def choices(run: ImportRun) -> dict[str, Any]:
    return {name: getattr(run, name) for name in CHOSEN}


def confirmed(content: str = FILE, **chosen: Any) -> ImportRun:
    return pipeline.confirm(run=receive(content), **(chosen or CHOSEN))


def test_choices_for_a_header_are_the_guess_for_the_next_file_that_has_it() -> None:
    confirmed()
    assert choices(receive("Artikelnr,Titel,EK,VK\nB,Cup,3.00,4.00\n")) == CHOSEN


@pytest.mark.parametrize(
    "header",
    ["ARTIKEL-NR;TITEL; ek ;V-K", "Artikelnr,Titel,EK,VK,_line,_error", "_line,Artikelnr,Titel,EK,VK"],
)
def test_header_written_another_way_is_the_same_header(header: str) -> None:
    confirmed()
    delimiter = ";" if ";" in header else ","
    line = delimiter.join(["x"] * len(header.split(delimiter)))
    run = receive(f"{header}\n{line}\n{line}\n")
    chosen = [columns.normalise(run.header[at]) for at in run.mapping.values()]
    assert (chosen, run.constants) == (["artikelnr", "titel", "ek"], CHOSEN["constants"])


@pytest.mark.parametrize(
    "header", ["Artikelnr,Titel,VK,EK", "Artikelnr,Titel,EK", "Artikelnr,Titel,EK,VK,UVP"]
)
def test_another_header_is_guessed(header: str) -> None:
    confirmed()
    run = receive(f"{header}\n{','.join('x' * len(header.split(',')))}\n")
    assert (run.saved_mapping, {name: getattr(run, name) for name in USUAL}) == (None, USUAL)


def test_files_without_a_header_have_nothing_to_be_known_by() -> None:
    rows = "A-1,Bowl,2.50,2026-01-01\nA-2,Cup,3.50,2026-01-02\nA-3,Jug,4.50,2026-01-03\n"
    run = receive(rows)
    assert run.header == ["Column 1", "Column 2", "Column 3", "Column 4"]
    pipeline.confirm(run=run, mapping={"sku": 0})
    assert (SavedMapping.objects.exists(), receive(rows).saved_mapping) == (False, None)


def test_recall_can_be_left_out() -> None:
    confirmed()
    run = receive(FILE, recall=False)
    assert (run.saved_mapping, run.mapping) == (None, GUESSED)


def test_draft_that_forgets_is_as_if_the_header_were_new() -> None:
    confirmed()
    run = receive(FILE)
    receiving.look_again(run, **READ, recall=False)
    assert choices(run) == USUAL | {"mapping": GUESSED}


def test_draft_that_is_read_with_another_delimiter_keeps_nothing_of_the_old_header() -> None:
    confirmed()
    run = receive(FILE)
    receiving.look_again(run, encoding="utf-8", delimiter=";")
    assert choices(run) == USUAL | {"mapping": {}}


def test_confirming_without_choices_goes_by_what_was_recalled() -> None:
    confirmed()
    draft = receive(FILE)
    run = pipeline.confirm(run=draft, source=draft.source)
    assert choices(run) == CHOSEN


def proposal(content: str = FILE) -> tuple[str, str, Category | None]:
    """What the next file with the header would do with products that it lacks."""
    run = receive(content)
    return run.mirror, run.source, run.mirror_category


def test_category_and_source_of_a_mirror_are_proposed_and_the_mirror_is_not() -> None:
    home = Category.objects.create(name="Home")
    confirmed(**CHOSEN, mirror="category", mirror_category=home)
    assert proposal() == ("", "acme", home)
    confirmed(**CHOSEN, mirror="source")
    assert proposal() == ("", "acme", home)


def test_import_that_has_no_say_in_them_leaves_source_and_category_as_they_were() -> None:
    home = Category.objects.create(name="Home")
    confirmed(**CHOSEN, mirror="category", mirror_category=home)
    confirmed(mapping={"sku": 0}, mode="delete")
    assert proposal() == ("", "acme", home)
    confirmed(mapping={"sku": 0})
    assert proposal() == ("", "", home)
    home.delete()
    assert proposal() == ("", "", None)


def test_mapping_that_was_saved_before_sources_were_is_still_good() -> None:
    confirmed()
    saved = SavedMapping.objects.get()
    del saved.values["source"], saved.values["mirror_category"]
    saved.save()
    assert proposal() == ("", "", None)


def test_numbers_of_the_next_file_speak_for_themselves_where_nobody_chose() -> None:
    text = "sku;name;price\nA;Bowl;{}\nB;Cup;{}\n"
    first = pipeline.confirm(run=receive(text.format("1.234,50", "2,50")))
    assert first.options == {"price": {"format": "comma"}}
    second = pipeline.confirm(run=receive(text.format("1,234.50", "2.50")))
    assert second.options == {"price": {"format": "point"}}


def test_later_choices_replace_earlier_ones() -> None:
    ann, ben = User.objects.create_user("ann"), User.objects.create_user("ben")
    confirmed(**CHOSEN, by=ann)
    confirmed(**CHOSEN, by=ben)
    saved = SavedMapping.objects.get()
    assert (saved.used, saved.by) == (2, ann)
    confirmed(**CHOSEN | {"blank": "keep"}, by=ben)
    changed = SavedMapping.objects.get()
    assert (changed.used, changed.by, changed.mapped_at > saved.mapped_at) == (1, ben, True)
    assert receive(FILE).blank == "keep"


def test_draft_that_was_refused_is_not_remembered() -> None:
    with pytest.raises(Exception, match="recognised as the SKU"):
        confirmed(mapping={"name": 1})
    assert not SavedMapping.objects.exists()


def test_column_that_was_left_out_stays_out_and_one_learned_since_is_guessed() -> None:
    confirmed(mapping={"sku": 0})
    assert receive(FILE).mapping == {"sku": 0}
    saved = SavedMapping.objects.get()
    del saved.values["mapping"]["price"]
    saved.values["mapping"]["gone"] = 1
    saved.save()
    assert receive(FILE).mapping == {"sku": 0, "price": 3}
