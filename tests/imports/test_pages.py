"""The admin's pages of imports, from upload to result, as a browser meets them."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import StopUpload
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from imports import pipeline
from imports.columns import COLUMNS
from imports.models import ImportRun, SavedMapping
from imports.uploading import LimitedUpload
from tests.imports.running import (
    confirm,
    csv_of,
    import_rows,
    outcomes,
    products,
    receive,
    row,
    work,
    work_up_to,
)  # fmt: skip

pytestmark = pytest.mark.django_db

ADD = "/admin/imports/importrun/add/"
LIST = "/admin/imports/importrun/"
BROKEN = [row("A"), row("B", price="abc"), row("C", stock="-2")]


def page_of(run: ImportRun, page: str = "change") -> str:
    return reverse(f"admin:imports_importrun_{page}", args=[run.pk])


def text_of(response: HttpResponse) -> str:
    """What a reader sees of the page's own part, on one line."""
    page = response.content.decode()
    page = page.partition('id="content"')[2].partition(">")[2] or page
    return " ".join(re.sub(r"<(script|option)\b.*?</\1>|<[^>]+>", " ", page, flags=re.S).split())


def rows_of(response: Any) -> list[list[str]]:
    """A downloaded CSV file, by cell."""
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def shown_outcomes(response: HttpResponse) -> dict[str, int]:
    """The table of outcomes, those with rows."""
    found = re.findall(r'data-outcome="(\w+)">([\d,]+)<', response.content.decode())
    return {name: int(count.replace(",", "")) for name, count in found if count != "0"}


@pytest.fixture
def staff() -> User:
    """May import and see imports, and nothing else."""
    user = User.objects.create_user("staff", "staff@example.com", is_staff=True)
    may = ["add_importrun", "undo_import", "view_importrun"]
    user.user_permissions.set(Permission.objects.filter(codename__in=may))
    return user


@pytest.fixture
def client(client: Client, staff: User) -> Client:
    """The staff member's browser."""
    client.force_login(staff)
    return client


@pytest.fixture
def post(client: Client) -> Callable[..., Any]:
    """Upload a file with this content."""

    def upload(content: str | bytes, name: str = "catalog.csv") -> Any:
        data = content.encode() if isinstance(content, str) else content
        return client.post(ADD, {"file": SimpleUploadedFile(name, data)})

    return upload


class Counted(io.BytesIO):
    """A request's body that knows how much of it was read."""

    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.taken += len(data)
        return data


def stream_upload(client: Client, size: int, token: str = "") -> tuple[Any, int]:
    """Upload `size` bytes of CSV from a stream; returns the answer and how many bytes of it were taken."""
    head = (
        f'--x\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n{token}\r\n'
        '--x\r\nContent-Disposition: form-data; name="file"; filename="big.csv"\r\n\r\n'
    )
    body = Counted(head.encode() + b"sku,name\n" * (size // 9) + b"\r\n--x--\r\n")
    answer = client.generic(
        "POST",
        ADD,
        CONTENT_TYPE="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(len(body.getvalue())),
        **{"wsgi.input": body},  # type: ignore[arg-type]
    )
    return answer, body.taken


# --- Who may come in -------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["change", "progress", "cancel", "rejected", "set_aside"])
def test_pages_of_an_import_when_not_staff_are_forbidden(client: Client, page: str) -> None:
    run = confirm(BROKEN)
    client.force_login(User.objects.create_user("customer"))
    assert client.get(page_of(run, page)).status_code == 403


@pytest.mark.parametrize("page", [LIST, ADD, f"{LIST}template/"])
def test_other_pages_when_not_staff_are_forbidden(client: Client, page: str) -> None:
    client.force_login(User.objects.create_user("customer"))
    assert client.get(page).status_code == 403


def test_pages_when_not_logged_in_lead_to_the_login_page(client: Client) -> None:
    client.logout()
    answer = client.get(ADD)
    assert (answer.status_code, answer["Location"]) == (302, f"/admin/login/?next={ADD}")


def test_live_page_when_logged_out_meanwhile_loads_anew(client: Client) -> None:
    run = confirm(BROKEN)
    client.logout()
    answer = client.get(page_of(run, "progress"), headers={"HX-Request": "true"})
    assert (answer["HX-Refresh"], answer.content) == ("true", b"")


def test_staff_who_may_only_look_can_neither_upload_nor_confirm_nor_cancel(client: Client) -> None:
    draft, running = receive(csv_of(BROKEN)), confirm([row("A")])
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_importrun"))
    client.force_login(viewer)
    forbidden = [
        client.post(address).status_code for address in (ADD, page_of(draft), page_of(running, "cancel"))
    ]
    assert forbidden == [403, 403, 403]
    assert client.get(page_of(running)).status_code == 200
    assert 'id="cancel"' not in client.get(page_of(running)).content.decode()
    assert list(ImportRun.objects.order_by("pk").values_list("state", flat=True)) == ["draft", "planning"]


def test_upload_when_not_staff_is_refused_before_the_file_is_read(client: Client) -> None:
    client.force_login(User.objects.create_user("customer"))
    answer, taken = stream_upload(client, 1_000_000)
    assert (answer.status_code, taken) == (403, 0)


def test_upload_without_the_token_of_the_form_is_forbidden(staff: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(staff)
    answer, _ = stream_upload(strict, 900)
    assert (answer.status_code, ImportRun.objects.count()) == (403, 0)


def test_upload_with_the_token_of_the_form_is_accepted(staff: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(staff)
    strict.get(ADD)
    answer, _ = stream_upload(strict, 900, token=strict.cookies["csrftoken"].value)
    assert (answer.status_code, ImportRun.objects.count()) == (302, 1)


# --- Upload ----------------------------------------------------------------------------------------------


def test_upload_page_shows_the_limit_and_every_column(client: Client, settings: Any) -> None:
    settings.IMPORT_MAX_BYTES = 3 * 1024**2
    shown = text_of(client.get(ADD))
    assert "Up to 3.0 MB." in shown
    assert [column.name for column in COLUMNS if f" {column.name} " not in shown] == []


def test_upload_of_a_catalogue_leads_to_its_confirm_page(post: Callable[..., Any], staff: User) -> None:
    answer = post(csv_of(BROKEN), "spring list.csv")
    run = ImportRun.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, page_of(run))
    assert (run.state, run.filename, run.owner) == ("draft", "spring list.csv", staff)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty. Export the catalogue again and upload the new file."),
        (b"sku\n", "The file has a header but no line of data below it. Add the rows and upload it again."),
        (b"%PDF-1.7", "The file is a PDF document. Export the table itself as CSV UTF-8 and upload that."),
    ],
)  # fmt: skip
def test_upload_of_a_file_that_is_no_catalogue_shows_what_to_do(
    post: Callable[..., Any], content: bytes, message: str
) -> None:
    answer = post(content)
    assert answer.status_code == 422
    assert f"Not imported. {message}" in text_of(answer)
    assert not ImportRun.objects.exists()


def test_upload_without_a_file_asks_for_one(client: Client) -> None:
    answer = client.post(ADD, {})
    assert answer.status_code == 422
    assert "Not imported. No file was chosen. Choose the CSV file of the catalogue." in text_of(answer)


def test_upload_said_to_be_over_the_limit_is_refused_unread(client: Client, settings: Any) -> None:
    settings.IMPORT_MAX_BYTES = 1_000_000
    answer, taken = stream_upload(client, 9_000_000)
    assert (answer.status_code, taken < 100_000) == (413, True)
    assert "The file is larger than 976.6 KB, the limit. Split it" in text_of(answer)
    assert not ImportRun.objects.exists()


def test_upload_that_passes_the_limit_is_refused_on_the_way(client: Client, settings: Any) -> None:
    settings.IMPORT_MAX_BYTES = 900_000
    answer, _ = stream_upload(client, 930_000)  # within what a form may take beside its file
    assert answer.status_code == 413
    assert not ImportRun.objects.exists()


def test_file_that_grows_over_the_limit_is_stopped_and_deleted(rf: RequestFactory) -> None:
    handler = LimitedUpload(rf.post(ADD), limit=10)
    handler.new_file("file", "big.csv", "text/csv", None)
    handler.receive_data_chunk(b"0123456789", 0)
    kept = Path(handler.file.temporary_file_path())
    assert (handler.exceeded, kept.exists()) == (False, True)
    with pytest.raises(StopUpload):
        handler.receive_data_chunk(b"0", 10)
    assert (handler.exceeded, kept.exists()) == (True, False)


def test_upload_of_exactly_the_limit_is_accepted(client: Client, settings: Any) -> None:
    settings.IMPORT_MAX_BYTES = 900_000
    answer, _ = stream_upload(client, 900_000)
    assert (answer.status_code, ImportRun.objects.get().size) == (302, 900_000)


def test_template_imports_without_a_rejected_row(client: Client) -> None:
    answer = client.get(f"{LIST}template/")
    assert answer["Content-Disposition"] == 'attachment; filename="tallyman-template.csv"'
    assert rows_of(answer)[0] == [column.name for column in COLUMNS]
    assert import_rows(answer.content).summary()["created"] == 1


# --- Confirm ---------------------------------------------------------------------------------------------


def test_confirm_page_shows_the_guess_with_samples(client: Client) -> None:
    run = receive("Artikelnummer;Preis;Lager\nX-1;9.90;R2\nX-2;8.50;R2\n")
    answer = client.get(page_of(run))
    shown = {
        one.column.name: one.chosen and (one.chosen.name, [cell.text for cell in one.shown.samples])
        for one in answer.context["ours"]
    }
    assert {name: chosen for name, chosen in shown.items() if chosen} == {
        "sku": ("Artikelnummer", ["X-1", "X-2"]),
        "price": ("Preis", ["9.90", "8.50"]),
    }
    assert "Not used: Lager" in text_of(answer)
    assert '<option value=";" selected>' in answer.content.decode()


def test_lines_that_are_no_part_of_the_table_are_told_before_and_after_the_import(client: Client) -> None:
    run = receive("Catalogue export,,\n\nsku,name,price\nA,Pot,1.00\nB,Pan,2.00\nC,Jug,3.00\nTotal,,6.00\n")
    told = (
        "Not part of the table, and left out: line 1 before the table (“Catalogue export”);"
        " line 7 below the table (“Total,,6.00”)."
    )
    assert told in text_of(client.get(page_of(run)))

    run = work(pipeline.confirm(run=run))

    assert (outcomes(run), told in text_of(client.get(page_of(run)))) == ({"created": 3}, True)


def test_confirm_page_of_the_same_file_again_links_to_the_first_import(client: Client) -> None:
    first = import_rows(BROKEN)
    again = receive(csv_of(BROKEN))
    answer = client.get(page_of(again))
    assert f"The same file was imported before: Import {first.pk}: catalog.csv , completed" in text_of(answer)
    assert f'href="{page_of(first)}"' in answer.content.decode()


def test_changed_delimiter_reads_the_file_again(client: Client) -> None:
    run = receive("sku,name;colour\nA,Bowl;blue\nB,Cup;red\n")
    client.post(page_of(run), {"action": "look", "encoding": "utf-8", "delimiter": ";"})
    run.refresh_from_db()
    assert (run.state, run.header) == ("draft", ["sku,name", "colour"])


def test_recognised_shop_is_told_and_can_be_declined(client: Client) -> None:
    run = receive("Handle,Title,Variant SKU,Variant Price\na,A,A-1,5\n")
    assert "Recognised as an export of Shopify." in text_of(client.get(page_of(run)))

    form = {"action": "look", "encoding": "utf-8", "delimiter": ",", "profile": ""}
    answer = client.post(page_of(run), form, follow=True)
    run.refresh_from_db()
    assert (run.profile, "Recognised as" in text_of(answer)) == ("", False)


def test_products_and_variants_of_a_shops_file_are_shown_and_follow_the_choices(client: Client) -> None:
    run = receive("Handle,Title,Option1 Value,Variant Price,UVP\ncup,Cup,S,9.00,11.00\ncup,,M,9.00,12.00\n")
    shown = text_of(client.get(page_of(run)))
    assert "What comes out 1 product, 2 variants and 0 images come out of the first 2 rows." in shown
    assert "cup Cup has variants 9.00" in shown
    assert "SKU always" not in shown

    form = {"action": "preview", "map-name": "1", "map-price": "4"}
    live = client.post(page_of(run), form, headers={"HX-Request": "true"})
    assert "cup Cup has variants 11.00" in text_of(live)


def test_result_links_to_the_products_for_those_who_may_see_them(client: Client, staff: User) -> None:
    run = import_rows(BROKEN)
    assert "See the products" not in text_of(client.get(page_of(run)))
    staff.user_permissions.add(Permission.objects.get(codename="view_product"))
    answer = client.get(page_of(run))
    assert '<a class="im-button" href="/admin/shop/product/">See the products</a>' in answer.content.decode()


def test_file_read_in_another_way_is_recognised_anew(client: Client) -> None:
    run = receive("Handle;Title;Variant SKU,;Variant Price\na;A;A-1,;5\n")
    client.post(
        page_of(run), {"action": "look", "encoding": "utf-8", "delimiter": ",", "profile": run.profile}
    )
    run.refresh_from_db()
    assert (run.profile, len(run.header)) == ("", 2)
    client.post(page_of(run), {"action": "look", "encoding": "utf-8", "delimiter": ";", "profile": ""})
    run.refresh_from_db()
    assert (run.profile, len(run.header)) == ("shopify", 4)


def test_only_what_was_changed_is_held_against_the_file(client: Client) -> None:
    run = receive("Shop;2024\nsku,name,price\nA,Bowl,1\nB,Cup,2\n")
    shown = {"action": "look", "encoding": "utf-8", "delimiter": ",", "quotechar": '"', "header_line": "2"}
    client.post(page_of(run), {**shown, "header_line": "3"})
    run.refresh_from_db()
    assert (run.header, run.dialect["given"]) == (["A", "Bowl", "1"], {"header_line": 3})

    client.post(page_of(run), {**shown, "header_line": "3", "quotechar": ""})
    run.refresh_from_db()
    assert run.dialect["given"] == {"header_line": 3, "quotechar": ""}
    assert text_of(client.get(page_of(run))).count("Bowl") == 2  # as a column, to choose and above the rows

    client.post(page_of(run), {**shown, "header_line": ""})
    run.refresh_from_db()
    assert (run.header, run.dialect["given"]) == (["sku", "name", "price"], {"quotechar": '"'})


@pytest.mark.parametrize("line", ["-1", "two", "²"])
def test_header_line_that_is_no_number_changes_nothing(client: Client, line: str) -> None:
    run = receive(csv_of(BROKEN))
    answer = client.post(page_of(run), {"action": "look", "header_line": line}, follow=True)
    (message,) = answer.context["messages"]
    assert str(message) == (f"“{line}” is no line number. Count the lines from 1, or write 0 for no header.")
    assert ImportRun.objects.get().dialect == run.dialect


def test_file_without_a_header_is_read_so(client: Client) -> None:
    run = receive("A,Bowl,1\nB,Cup,2\n")
    client.post(page_of(run), {"action": "look", "header_line": "0", "quotechar": '"'})
    run.refresh_from_db()
    assert (run.header, run.dialect["first_line"]) == (["Column 1", "Column 2", "Column 3"], 1)


def test_setting_that_is_not_offered_changes_nothing(client: Client) -> None:
    run = receive(csv_of(BROKEN))
    form = {"action": "look", "encoding": "klingon", "delimiter": ","}
    answer = client.post(page_of(run), form, follow=True)
    (message,) = answer.context["messages"]
    assert str(message).startswith("The encoding “klingon” is not offered. There are: “utf-8”, “cp1252”, ")
    assert ImportRun.objects.get().dialect == run.dialect


def test_confirmed_mapping_starts_the_import_as_chosen(client: Client) -> None:
    run = receive("Code,Titel,Farbe\nA,Bowl,blue\n")
    form = {
        "action": "import",
        "map-sku": "0",
        "map-name": "1",
        "map-price": "",
        "mode": "update",
        "keep_unknown": "on",
    }
    answer = client.post(page_of(run), form)
    run.refresh_from_db()
    assert (answer.status_code, answer["Location"]) == (302, page_of(run))
    assert (run.state, run.mode, run.mapping, run.keep_unknown) == (
        "planning",
        "update",
        {"sku": 0, "name": 1},
        True,
    )


def test_format_of_numbers_is_shown_and_can_be_changed(client: Client) -> None:
    run = receive("Artikelnummer;Preis;Bestand\nX-1;1.234,50 €;1.250\n")
    answer = client.get(page_of(run))
    shown = {one.column.name: [option.found for option in one.options] for one in answer.context["ours"]}
    assert (shown["price"], shown["stock"]) == (
        ["1.234,56", "EUR €"],
        ["unclear, 1.234 rejected"],
    )
    form = {"action": "import", "mode": "upsert", "map-sku": "0", "map-price": "1", "map-stock": "2"}
    client.post(page_of(run), form | {"set-stock.format": "comma", "set-price.format": ""})
    run.refresh_from_db()
    assert run.options == {"price": {"format": "comma", "currency": "EUR"}, "stock": {"format": "comma"}}


def test_constant_of_the_page_starts_the_import_with_it(client: Client) -> None:
    run = receive("sku,name\nA,Bowl\n")
    form = {
        "action": "import",
        "map-sku": "0",
        "mode": "upsert",
        "set-category": " Home > Kitchen ",
        "set-name": "",
    }
    client.post(page_of(run), form)
    run.refresh_from_db()
    assert (run.state, run.constants) == ("planning", {"category": "Home > Kitchen"})


def test_constant_that_can_not_be_is_explained_and_stays_in_the_form(client: Client) -> None:
    run = receive("sku,name\nA,Bowl\n")
    form = {
        "action": "import",
        "map-sku": "0",
        "mode": "upsert",
        "set-stock": "-1",
        "set-price.format": "comma",
    }
    answer = client.post(page_of(run), form)
    assert (answer.status_code, ImportRun.objects.get().state) == (422, "draft")
    assert "stock can't be set to that. The stock -1 is below zero." in html.unescape(text_of(answer))
    kept = {one.column.name: one for one in answer.context["ours"]}
    assert (kept["stock"].constant, kept["price"].options[0].chosen) == ("-1", "comma")


def test_choice_for_blank_cells_starts_the_import_with_it(client: Client) -> None:
    run = receive("sku,stock\nA,\n")
    assert "A cell with just __clear__ clears its field" in text_of(client.get(page_of(run)))
    form = {"action": "import", "map-sku": "0", "map-stock": "1", "mode": "upsert", "blank": "clear"}
    client.post(page_of(run), form)
    run.refresh_from_db()
    assert (run.state, run.blank) == ("planning", "clear")


def test_choice_for_blank_cells_that_is_not_offered_is_refused(client: Client) -> None:
    run = receive("sku,stock\nA,\n")
    form = {"action": "import", "map-sku": "0", "mode": "upsert", "blank": "guess"}
    answer = client.post(page_of(run), form)
    assert (answer.status_code, ImportRun.objects.get().state) == (422, "draft")
    assert "Choose what to do with blank cells." in text_of(answer)


def test_mapping_without_sku_is_explained_where_it_can_be_mended(client: Client) -> None:
    run = receive("Code,Titel\nA,Bowl\n")
    answer = client.post(page_of(run), {"action": "import", "map-name": "1", "mode": "create"})
    assert answer.status_code == 422
    assert f"No column of {run.filename} was recognised as the SKU." in text_of(answer)
    chosen = [one.column.name for one in answer.context["ours"] if one.chosen]
    assert (chosen, answer.context["run"].mode) == (["name"], "create")
    assert ImportRun.objects.get().state == "draft"


def test_mapping_to_a_column_that_is_not_there_is_refused(client: Client) -> None:
    run = receive(csv_of(BROKEN))
    answer = client.post(page_of(run), {"action": "import", "map-sku": "99", "mode": "upsert"})
    assert answer.status_code == 422
    assert "The file has 4 columns; there is no number 100." in text_of(answer)


def test_second_click_on_import_starts_nothing_twice(client: Client) -> None:
    run = receive(csv_of(BROKEN))
    form = {"action": "import", "map-sku": "0", "map-name": "1", "map-price": "2", "mode": "upsert"}
    client.post(page_of(run), form)
    assert client.post(page_of(run), form).status_code == 200
    assert work(run).summary()["rows"] == 3


def test_discarded_draft_leaves_nothing_behind(client: Client) -> None:
    run = receive(csv_of(BROKEN))
    answer = client.post(page_of(run), {"action": "discard"}, follow=True)
    assert [str(message) for message in answer.context["messages"]] == [
        "catalog.csv was discarded. Nothing was imported."
    ]
    assert (ImportRun.objects.exists(), run.file.storage.exists(run.file.name)) == (False, False)


def test_draft_whose_file_is_gone_says_so(client: Client) -> None:
    run = receive(csv_of(BROKEN))
    run.file.storage.delete(run.file.name)
    assert "The uploaded file is no longer there. Discard this draft" in text_of(client.get(page_of(run)))


# --- Confirm: what the columns become ---------------------------------------------------------------------


CHOICES = {"action": "preview", "map-sku": "0", "map-name": "1", "mode": "create", "blank": "clear"}


def preview_of(client: Client, run: ImportRun, live: bool = False, **form: str) -> Any:
    headers = {"HX-Request": "true"} if live else None
    return client.post(
        page_of(run), CHOICES | {name.replace("_", "-"): form[name] for name in form}, headers=headers
    )


def test_other_choices_show_what_they_make_of_the_sample_and_save_nothing(client: Client) -> None:
    run = receive("sku,name,EK\nA,Bowl,dear\nB,Cup,1.50\n")
    answer = preview_of(client, run, map_price="2", set_category="Home>Bath")
    assert answer.status_code == 200
    shown = html.unescape(text_of(answer))
    assert (
        "dear ✕ rejected 1.50 1 of 2 sampled rows would be rejected: “dear” is not a plain number." in shown
    )
    assert "→ becomes Home > Bath" in shown
    assert (answer.context["run"].mode, answer.context["run"].blank) == ("create", "clear")
    kept = ImportRun.objects.get()
    assert (kept.mapping, kept.mode, kept.constants) == ({"sku": 0, "name": 1}, "upsert", {})


def test_live_preview_answers_with_what_changes_only(client: Client) -> None:
    run = receive("sku,name,EK,VK\nA,Bowl,1.00,2.00\n")
    page = preview_of(client, run, live=True, map_price="2").content.decode()
    assert "<form" not in page
    places = re.findall(r'id="([\w-]+)" hx-swap-oob="innerHTML"', page)
    whole = client.get(page_of(run)).content.decode()
    assert [place for place in places if f'id="{place}"' not in whole] == []
    assert {"shows-price", "constant-price", "found-price-format", "unused"} <= set(places)
    assert "Not used: VK" in " ".join(re.sub("<[^>]+>", " ", page).split())


def test_preview_of_choices_that_are_not_offered_is_no_error(client: Client) -> None:
    run = receive("sku,name\nA,Bowl\n")
    form = {"map_price": "99", "set_price.format": "dots", "mode": "guess"}
    assert preview_of(client, run, **form).status_code == 200


def test_columns_without_a_name_of_their_own_are_told_by_number(client: Client) -> None:
    run = receive("sku,Preis,preis,,name\nA,1,2,x,Bowl\n")
    labels = [one.label for one in client.get(page_of(run)).context["theirs"]]
    assert labels == ["sku", "Preis (column 2)", "preis (column 3)", "no name (column 4)", "name"]


def test_page_of_a_wide_file_folds_what_is_not_used(client: Client) -> None:
    names = ",".join(f"attribute {number}" for number in range(300))
    run = receive(f"sku,name,{names}\nA,Bowl,{','.join('x' * 300)}\n")
    answer = client.get(page_of(run))
    assert "<summary><strong>Not used:</strong> 300 columns</summary>" in answer.content.decode()
    assert len(answer.content) < 400_000


# --- Confirm: what was chosen before ----------------------------------------------------------------------


def test_page_says_whose_choices_it_shows_and_from_when(client: Client, staff: User) -> None:
    file = "sku,name,EK,VK\nA,Bowl,1.00,2.00\n"
    assert "mapped" not in text_of(client.get(page_of(receive(file))))
    pipeline.confirm(run=receive(file), mapping={"sku": 0, "name": 1, "price": 2}, by=staff)
    SavedMapping.objects.update(mapped_at="2026-11-03T12:00Z")
    run = receive(file)
    shown = client.get(page_of(run))
    assert "As you mapped it on 3 Nov , for the last file with this header." in text_of(shown)
    assert [one.chosen.name for one in shown.context["ours"] if one.chosen] == ["sku", "name", "EK"]
    SavedMapping.objects.update(by=User.objects.create_user("ben"))
    assert "As ben mapped it on 3 Nov" in text_of(client.get(page_of(run)))
    SavedMapping.objects.update(by=None)
    assert "As it was mapped on 3 Nov" in text_of(client.get(page_of(run)))


def test_page_leads_back_to_the_plain_guess(client: Client) -> None:
    file = "sku,name,price,VK\nA,Bowl,1.00,2.00\n"
    pipeline.confirm(
        run=receive(file), mapping={"sku": 0, "price": 3}, blank="clear", constants={"name": "x"}
    )
    run = receive(file)
    answer = client.post(page_of(run), {"action": "plain"}, follow=True)
    run.refresh_from_db()
    assert (run.mapping, run.blank, run.constants) == ({"sku": 0, "name": 1, "price": 2}, "keep", {})
    assert "mapped" not in text_of(answer)


def test_confirmed_choices_are_remembered_as_those_of_who_confirmed(client: Client, staff: User) -> None:
    run = receive("sku,name\nA,Bowl\n")
    client.post(page_of(run), CHOICES | {"action": "import", "set-stock": "4"})
    saved = SavedMapping.objects.get()
    assert (saved.by, saved.values["constants"], saved.values["blank"]) == (staff, {"stock": "4"}, "clear")


# --- Live page and result --------------------------------------------------------------------------------


def test_live_page_shows_how_far_the_import_is(client: Client) -> None:
    run = confirm(BROKEN)
    work_up_to(run, "load")
    answer = client.get(page_of(run, "progress"))
    assert (answer.status_code, shown_outcomes(answer)) == (200, {"rejected": 2, "pending": 1, "rows": 3})
    assert re.search(r'role="progressbar"[^>]*aria-valuenow="77"', answer.content.decode())
    shown = text_of(answer)
    assert "▸ Writing to the catalogue catalog.csv · 80 bytes 77 % 2 of 3 rows" in shown
    assert "3 price abc “abc” is not a plain number." in shown


def test_live_page_is_cheap(client: Client, staff: User, django_assert_max_num_queries: Any) -> None:
    run = confirm(BROKEN)
    ImportRun.objects.update(owner=staff)
    work_up_to(run, "load")
    with django_assert_max_num_queries(6):  # session, user, permissions twice, the run, rejected rows
        client.get(page_of(run, "progress"))


def test_live_page_when_the_import_has_ended_stops_asking(client: Client) -> None:
    run = import_rows(BROKEN)
    answer = client.get(page_of(run, "progress"))
    assert (answer.status_code, 'role="progressbar"' in answer.content.decode()) == (286, False)
    assert "<title>Completed · Import" in answer.content.decode()


def test_page_renews_itself_only_while_the_import_runs(client: Client) -> None:
    run = confirm(BROKEN)
    asks = f'hx-get="{page_of(run, "progress")}" hx-trigger="every 1s"'
    refresh = '<noscript><meta http-equiv="refresh" content="2"></noscript>'
    running = client.get(page_of(run)).content.decode()
    assert (refresh in running, asks in running) == (True, True)
    work(run)
    ended = client.get(page_of(run)).content.decode()
    assert (refresh in ended, asks in ended) == (False, False)


def test_result_accounts_for_every_line(client: Client) -> None:
    data = csv_of(
        [row("A"), row("B", price="abc"), row("A", name="Later"), row("C", description="two\nlines")]
    )
    run = import_rows(data + "\n")
    answer = client.get(page_of(run))
    assert shown_outcomes(answer) == {"created": 2, "superseded": 1, "rejected": 1, "rows": 4}
    assert (
        "rows 4 = 6 lines below the header − 1 blank − 1 further line of rows that span several"
        in text_of(answer)
    )
    assert "2 of 4 rows are in the catalogue" in text_of(answer)


def test_import_that_waits_names_the_one_before_it(client: Client) -> None:
    first = confirm(BROKEN)
    work_up_to(first, "stage")
    second = confirm([row("Z")])
    work_up_to(first, "check")
    assert f"Import {first.pk}: catalog.csv writes now. This one is next and starts" in text_of(
        client.get(page_of(second))
    )


def test_import_that_no_worker_takes_says_what_to_do(client: Client) -> None:
    run = confirm(BROKEN)
    assert "No worker" not in text_of(client.get(page_of(run)))
    ImportRun.objects.filter(pk=run.pk).update(confirmed_at="2020-01-01T00:00Z")
    assert "No worker has taken this import yet. Is one running?" in text_of(client.get(page_of(run)))


def test_failed_import_says_why_what_landed_and_what_to_do(client: Client) -> None:
    run = confirm(BROKEN)
    work_up_to(run, "load")
    pipeline.fail(run_id=run.pk, error="The disk is full.")
    shown = text_of(client.get(page_of(run)))
    assert "What happened: The disk is full." in shown
    assert "What was saved: the catalogue is as it was before." in shown
    assert "What to do: mend the cause and upload the same file again." in shown


def test_cancel_says_in_numbers_what_will_happen_before_it_does(client: Client) -> None:
    run = confirm(BROKEN)
    work_up_to(run, "load")
    question = text_of(client.get(page_of(run, "cancel")))
    assert "0 rows landed so far and stay in the catalogue. 1 row will not be imported." in question
    assert ImportRun.objects.get().state == "loading"
    client.post(page_of(run, "cancel"))
    assert ImportRun.objects.get().state == "cancelled"
    assert shown_outcomes(client.get(page_of(run))) == {"rejected": 2, "pending": 1, "rows": 3}


@pytest.mark.parametrize("method", ["get", "post"])
def test_cancel_of_an_ended_import_changes_nothing(client: Client, method: str) -> None:
    run = import_rows(BROKEN)
    answer = getattr(client, method)(page_of(run, "cancel"), follow=True)
    assert "ended already." in " ".join(map(str, answer.context["messages"]))
    assert ImportRun.objects.get().state == "completed"


# --- What did not land -----------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["load", "never"])
def test_rejected_rows_download_in_the_file_s_own_columns(client: Client, stage: str) -> None:
    run = confirm(BROKEN)
    work_up_to(run, stage) if stage == "load" else work(run)
    answer = client.get(page_of(run, "rejected"))
    assert f'filename="rejected-rows-{run.pk}.csv"' in answer["Content-Disposition"]
    header, *rejected = rows_of(answer)
    assert header == ["sku", "name", "price", "stock", "_line", "_error"]
    assert [(cells[0], cells[2], cells[3], cells[4]) for cells in rejected] == [
        ("B", "abc", "3", "3"),
        ("C", "12.50", "-2", "4"),
    ]


@pytest.mark.django_db(transaction=True)
def test_mended_rejected_rows_land_when_uploaded_again(client: Client, post: Callable[..., Any]) -> None:
    run = import_rows(BROKEN)
    broken = b"".join(client.get(page_of(run, "rejected")).streaming_content).decode()
    post(broken.replace("abc", "7.00").replace(",-2,", ",2,"), "mended.csv")
    mended = ImportRun.objects.get(filename="mended.csv")
    assert client.get(page_of(mended)).context["unused"] == []
    work(pipeline.confirm(run=mended))
    assert sorted(products()) == ["A", "B", "C"]


def test_download_when_nothing_was_rejected_leads_back(client: Client) -> None:
    run = import_rows([row("A")])
    answer = client.get(page_of(run, "rejected"), follow=True)
    assert [str(message) for message in answer.context["messages"]] == [
        f"Import {run.pk} has no rejected rows."
    ]


def test_download_when_the_file_was_cleared_away_says_so(client: Client) -> None:
    run = import_rows(BROKEN)
    for file in (run.file, run.rejected_file):
        file.storage.delete(file.name)
    answer = client.get(page_of(run, "rejected"), follow=True)
    assert [str(message) for message in answer.context["messages"]] == [
        "catalog.csv was cleared away, and its rejected rows with it."
    ]


def test_rows_set_aside_are_listed_with_the_reason_page_by_page(client: Client) -> None:
    run = import_rows([row("A", stock=str(number)) for number in range(103)])
    shown = text_of(client.get(page_of(run, "set_aside"), {"page": 2}))
    assert "102 rows of catalog.csv set aside" in shown
    assert "Line SKU Outcome Why 102 A superseded Line 104 has the same SKU and comes later. 103 A" in shown
    assert "Page 2 of 2" in shown


# --- List ------------------------------------------------------------------------------------------------


def test_list_without_imports_says_what_would_be_here(client: Client) -> None:
    assert "No imports yet Every file that is imported will be here" in text_of(client.get(LIST))


def test_list_shows_how_each_import_went(client: Client, staff: User) -> None:
    run = import_rows(BROKEN)
    ImportRun.objects.update(owner=staff)
    shown = text_of(client.get(LIST))
    assert re.search(
        rf"Import {run.pk}: catalog\.csv completed 1 landed 3 2 [\d.]+ s [\d,]+ rows/s staff now", shown
    )


def test_list_offers_neither_deleting_nor_editing(client: Client) -> None:
    import_rows(BROKEN)
    answer = client.get(LIST)
    assert 'name="action"' not in answer.content.decode()
    assert client.post(f"{LIST}1/delete/", {"post": "yes"}).status_code == 404


def test_column_number_of_thousands_of_digits_is_none(client: Client) -> None:
    run = receive(csv_of(BROKEN))
    answer = client.post(page_of(run), {"action": "import", "map-sku": "9" * 5_000})
    assert (answer.status_code, ImportRun.objects.get().state) == (422, "draft")


def test_option_that_is_not_offered_for_a_shops_file_is_refused(client: Client) -> None:
    run = receive("Handle,Title,Variant SKU,Variant Price\na,A,A-1,5\n")
    form = {
        "action": "import",
        "map-sku": "2",
        "map-price": "3",
        "mode": "upsert",
        "set-price.format": "bogus",
    }
    assert client.post(page_of(run), form).status_code == 422
