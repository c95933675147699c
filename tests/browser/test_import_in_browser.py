"""What a staff member does with a catalogue, in a real browser against real processes."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from imports import sample_catalog
from tests.browser.conftest import Visit
from tests.stack import Stack

ADD = "imports/importrun/add/"
ROWS = 30_000
PRICE, STOCK, NAME = sample_catalog.PRICE, sample_catalog.STOCK, sample_catalog.NAME
# Row of the file → (its cell, what stands there instead).
BREAKS = {7: (PRICE, "abc"), 12_000: (STOCK, "-2"), 12_001: (NAME, ""), 29_999: (PRICE, "1.234,56")}

type Rows = list[list[str]]


@pytest.fixture
def sound() -> Rows:
    """The cells of a catalogue as they should be."""
    return list(csv.reader(io.StringIO("".join(sample_catalog.rows(ROWS)))))


def write(path: Path, header: list[str], rows: Rows) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def upload(page: Page, path: Path) -> None:
    """Choose the file, send it, and wait for the page that asks to confirm."""
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_role("button", name="Upload the file").click()
    expect(page.get_by_role("heading", name=path.name, exact=True)).to_be_visible()


def confirm(page: Page) -> None:
    page.locator(".im-sticky").get_by_role("button", name="Import now").click()
    page.locator("#phase").wait_for()


def watch(page: Page) -> list[int]:
    """The percentages that the bar showed, until it turned into the result."""
    seen = [-1]
    moved = """last => {
        const bar = document.querySelector("[role=progressbar]");
        const now = bar ? Number(bar.getAttribute("aria-valuenow")) : 101;
        return now > last ? [now] : null;
    }"""
    while seen[-1] < 101:
        seen += page.wait_for_function(moved, arg=seen[-1], timeout=120_000).json_value()
    return seen[1:-1]


def outcomes(page: Page) -> dict[str, int]:
    """The table of outcomes, those with rows."""
    cells = page.locator("[data-outcome]").evaluate_all(
        "all => all.map(e => [e.dataset.outcome, e.textContent])"
    )
    return {name: int(count.replace(",", "")) for name, count in cells if count != "0"}


def test_staff_member_brings_every_row_of_a_broken_file_into_the_catalogue(
    visit: Visit, stack: Stack, sound: Rows, tmp_path: Path
) -> None:
    header = ["Item number" if name == "sku" else name for name in sample_catalog.COLUMNS]
    rows = [list(cells) for cells in sound]
    for at, (column, cell) in BREAKS.items():
        rows[at][column] = cell
    page = visit(ADD)
    upload(page, write(tmp_path / "catalogue.csv", header, rows))

    expect(page.get_by_label("SKU")).to_have_value("0")  # it was recognised by its other name
    confirm(page)
    page.evaluate("window.neverReloaded = true")
    percentages = watch(page)
    assert len([percent for percent in percentages if 0 < percent < 100]) >= 3
    assert page.evaluate("window.neverReloaded")
    assert outcomes(page) == {"created": ROWS - 4, "rejected": 4, "rows": ROWS}

    with page.expect_download() as download:
        page.get_by_role("link", name="Download 4 rejected rows").click()
    download.value.save_as(tmp_path / "rejected.csv")
    fields, *broken = csv.reader((tmp_path / "rejected.csv").read_text("utf-8-sig").splitlines())
    assert fields == [*header, "_line", "_error"]
    mended = [sound[at] + cells[-2:] for at, cells in zip(BREAKS, broken, strict=True)]

    page.get_by_role("link", name="Upload the mended file").click()
    upload(page, write(tmp_path / "mended.csv", fields, mended))
    confirm(page)
    watch(page)
    assert outcomes(page) == {"created": 4, "rows": 4}
    assert stack.sql("SELECT count(*) FROM shop_product") == [(ROWS,)]
    in_file = sorted((cells[sample_catalog.SKU], cells[NAME], cells[PRICE]) for cells in sound)
    assert sorted(stack.sql("SELECT sku, name, price::text FROM shop_product")) == in_file


def test_import_works_without_javascript(visit: Visit, sound: Rows, tmp_path: Path) -> None:
    page = visit(ADD, java_script_enabled=False)
    page.locator("input[type=file]").set_input_files(
        write(tmp_path / "few.csv", list(sample_catalog.COLUMNS), sound[:2_000])
    )
    page.get_by_role("button", name="Upload the file").press("Enter")
    page.locator(".im-sticky").get_by_role("button", name="Import now").press("Enter")
    expect(page.get_by_role("heading", name="Completed")).to_be_visible(timeout=60_000)
    expect(page.locator("[data-outcome=created]")).to_have_text("2,000")


def test_format_of_numbers_shown_follows_the_column_that_is_chosen(visit: Visit, tmp_path: Path) -> None:
    path = write(tmp_path / "list.csv", ["sku", "Preis", "UVP"], [["A", "1.234,50 €", "1,234.50"]])
    page = visit(ADD)
    upload(page, path)
    found = page.locator("[name='set-price.format'] option").first
    expect(found).to_have_text("As found: 1.234,56")
    page.get_by_role("combobox", name="Price").first.select_option(label="UVP")
    expect(found).to_have_text("As found: 1,234.56")


def test_other_column_shows_at_once_what_its_cells_become(visit: Visit, tmp_path: Path) -> None:
    rows = [["A", "Bowl", "dear", "1.234,50 €"], ["B", "Cup", "cheap", "2,50 €"]]
    page = visit(ADD)
    upload(page, write(tmp_path / "list.csv", ["sku", "name", "Preis", "UVP"], rows))
    shown, chosen = page.locator("#shows-price"), page.locator("#map-price")
    expect(shown).to_contain_text("Is this the right column? None of its sampled cells can be used")
    expect(page.get_by_role("button", name="Show again")).to_be_hidden()
    chosen.focus()
    chosen.select_option(label="UVP")
    expect(shown.locator("li")).to_have_text(["1.234,50 € →becomes 1234.50", "2,50 € →becomes 2.50"])
    expect(chosen).to_be_focused()
    expect(page.locator("#unused")).to_contain_text("Not used: Preis")
    page.get_by_label("Stock if absent or blank").fill("many")
    page.get_by_label("Stock if absent or blank").press("Tab")
    expect(page.locator("#constant-stock")).to_contain_text("“many” is not a whole number.")


def test_file_with_a_known_header_is_read_as_it_was_mapped_until_asked_to_guess_anew(
    visit: Visit, tmp_path: Path
) -> None:
    header = ["sku", "name", "price", "UVP"]
    page = visit(ADD)
    upload(page, write(tmp_path / "first.csv", header, [["A", "Bowl", "1.50", "2.50"]]))
    page.locator("#map-price").select_option(label="UVP")
    confirm(page)
    page.goto(f"/admin/{ADD}")
    upload(page, write(tmp_path / "second.csv", header, [["B", "Cup", "3.50", "4.50"]]))
    expect(page.get_by_text("As you mapped it on")).to_be_visible()
    expect(page.locator("#map-price")).to_have_value("3")
    page.get_by_role("button", name="Guess it anew").click()
    expect(page.locator("#map-price")).to_have_value("2")
    expect(page.get_by_text("As you mapped it on")).to_have_count(0)


def test_choices_are_shown_again_without_javascript(visit: Visit, tmp_path: Path) -> None:
    page = visit(ADD, java_script_enabled=False)
    path = write(tmp_path / "list.csv", ["sku", "Preis", "UVP"], [["A", "dear", "2.50"]])
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_role("button", name="Upload the file").press("Enter")
    page.locator("#map-price").select_option(label="UVP")
    page.get_by_role("button", name="Show again").press("Enter")
    expect(page.locator("#shows-price li")).to_have_text(["2.50"])
    expect(page.locator("#map-price")).to_have_value("2")


def test_no_page_scrolls_sideways_on_a_phone(visit: Visit, sound: Rows, tmp_path: Path) -> None:
    sound[1][PRICE] = "abc" * 60
    path = write(tmp_path / f"{'a-very-long-name' * 8}.csv", list(sample_catalog.COLUMNS), sound[:20])
    page = visit(ADD, viewport={"width": 390, "height": 844})
    widths = {"upload": page_width(page)}
    upload(page, path)
    widths["confirm"] = page_width(page)
    confirm(page)
    watch(page)
    widths["result"] = page_width(page)
    page.goto("/admin/imports/importrun/")
    widths["list"] = page_width(page)
    assert widths == dict.fromkeys(widths, 390)


def page_width(page: Page) -> int:
    width: int = page.evaluate("document.documentElement.scrollWidth")
    return width
