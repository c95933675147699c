"""The page of a preview, from the mapping page to its approval, as a browser meets it."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client

from imports.models import ImportRun
from imports.progress import progress_of
from shop.models import Product
from tests.imports.running import confirm, import_rows, outcomes, receive, row, values, work, work_up_to
from tests.imports.test_pages import page_of, text_of

pytestmark = pytest.mark.django_db

FIRST = [row("B"), row("C"), row("D")]
# A and E are new, B stays, C and D change, F is broken, G comes twice.
SECOND = [
    row("A"), row("B"), row("C", price="13.75"), row("D", name="Dish", stock="4"), row("E"),
    row("F", price="dear"), row("G"), row("G"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _few_rows_are_not_many(settings: Any) -> None:
    """One broken row of eight is nothing to warn of here."""
    settings.IMPORT_WARN_REJECTED_PERCENT = 20.0


@pytest.fixture
def staff() -> User:
    """May import and see imports, and nothing else."""
    user = User.objects.create_user("staff", is_staff=True)
    may = ["add_importrun", "undo_import", "view_importrun"]
    user.user_permissions.set(Permission.objects.filter(codename__in=may))
    return user


@pytest.fixture
def client(client: Client, staff: User) -> Client:
    """The staff member's browser."""
    client.force_login(staff)
    return client


@pytest.fixture
def run() -> ImportRun:
    """A preview of a file of eight rows over three products."""
    import_rows(FIRST)
    return work(confirm(SECOND, preview=True))


@pytest.fixture
def warned(run: ImportRun) -> ImportRun:
    """The same with a warning that has to be accepted."""
    return warn(run)


def warn(run: ImportRun, *, second: bool = False) -> ImportRun:
    warning = {
        "code": "rejected",
        "message": "Many rows would be rejected.",
        "figure": 12.5,
        "limit": 5.0,
        "second": second,
    }
    ImportRun.objects.filter(pk=run.pk).update(warnings=[warning])
    run.refresh_from_db()
    return run


def would(answer: Any) -> dict[str, int]:
    """The headline numbers."""
    found = re.findall(r'data-would="(\w+)">([\d,]+)<', answer.content.decode())
    return {name: int(count.replace(",", "")) for name, count in found}


def shown(answer: Any) -> list[str]:
    """The SKUs of the differences that are shown."""
    return re.findall(r'<tbody data-sku="([^"]*)"', answer.content.decode())


def chips(answer: Any) -> list[str]:
    """The filters, the chosen ones with a star."""
    found = re.findall(r'<a class="im-chip"[^>]*?( aria-current="true")?>(.*?)</a>', answer.content.decode())
    return [("*" if chosen else "") + re.sub("<.*?>", "", label) for chosen, label in found]


# --- The mapping page ------------------------------------------------------------------------------------


def test_preview_of_the_same_file_again_links_to_the_first_import(client: Client, run: ImportRun) -> None:
    again = work(confirm(SECOND, preview=True))
    answer = client.get(page_of(again))
    assert f"The same file was imported before: Import {run.pk}: catalog.csv , to be approved" in text_of(
        answer
    )
    assert f'href="{page_of(run)}"' in answer.text
    assert "imported before" not in text_of(client.get(page_of(run)))


def test_mapping_page_starts_a_preview_or_the_import_itself(client: Client) -> None:
    run = receive("sku,name,price\nA,Bowl,1.50\n")
    assert "Preview everything Import now Discard Preview reads the whole file" in text_of(
        client.get(page_of(run))
    )
    form = {"map-sku": "0", "map-name": "1", "map-price": "2", "mode": "upsert"}
    client.post(page_of(run), form | {"action": "preview_all"})
    assert (work(run).state, Product.objects.count()) == ("previewed", 0)

    run = receive("sku,name,price\nA,Bowl,1.50\n")
    client.post(page_of(run), form | {"action": "import"})
    assert (work(run).state, Product.objects.count()) == ("completed", 1)


# --- While it is made ------------------------------------------------------------------------------------


def test_live_page_of_a_preview_says_that_nothing_is_written(client: Client) -> None:
    run = confirm(SECOND, preview=True)
    work_up_to(run, "compare")
    told = text_of(client.get(page_of(run, "progress")))
    assert "▸ Preview: comparing with the catalogue" in told
    assert "50 % 0 of 1 parts" in told
    assert "nothing is written before somebody approves it" in told


def test_live_page_turns_into_the_preview_when_it_is_there(client: Client, run: ImportRun) -> None:
    answer = client.get(page_of(run, "progress"))
    assert (answer["HX-Refresh"], answer.content) == ("true", b"")


# --- What it shows ---------------------------------------------------------------------------------------


def test_headline_numbers_sum_to_the_rows(client: Client, run: ImportRun) -> None:
    numbers = would(client.get(page_of(run)))
    assert numbers == {"create": 3, "update": 2, "unchanged": 1, "superseded": 1, "reject": 1, "rows": 8}
    assert sum(numbers.values()) == 2 * numbers["rows"]


def test_differences_show_each_field_before_and_after(client: Client, run: ImportRun) -> None:
    answer = client.get(page_of(run))
    assert shown(answer) == ["A", "C", "D", "E", "G"]
    told = html.unescape(text_of(answer))
    assert "C Name of C Line 4 Price 12.50 → 13.75 +10 %" in told
    assert "D Name of D Line 5 Name Name of D → Dish Stock 3 → 4 +33 %" in told
    assert "A + new Name of A Line 2 Price 12.50 Stock 3" in told


def test_filters_say_how_many_and_keep_each_other(client: Client, run: ImportRun) -> None:
    assert chips(client.get(page_of(run))) == [
        "*All 5", "Created 3", "Updated 2", "*Any field", "Name 1", "Price 1", "Stock 1",
    ]  # fmt: skip
    answer = client.get(page_of(run), {"field": "price"})
    assert (shown(answer), "1 of 1 product" in text_of(answer)) == (["C"], True)
    answer = client.get(page_of(run), {"show": "created", "sku": "E"})
    assert (shown(answer), chips(answer)[:3]) == (["E"], ["All 5", "*Created 3", "Updated 2"])
    assert 'href="?field=price&amp;sku=E"' in answer.content.decode()
    assert "No difference fits." in text_of(client.get(page_of(run), {"sku": "nothing"}))


def test_filter_that_is_not_offered_is_left_out(client: Client, run: ImportRun) -> None:
    answer = client.get(page_of(run), {"show": "everything", "sku": "\0C", "after": "x" * 500})
    assert (answer.status_code, shown(answer)) == (200, [])


def test_filtering_live_answers_with_the_differences_only(client: Client, run: ImportRun) -> None:
    answer = client.get(page_of(run), {"show": "updated"}, headers={"HX-Request": "true"})
    assert (shown(answer), "<h2" in answer.content.decode()) == (["C", "D"], False)
    assert answer["Vary"].count("HX-Request") == 1
    whole = client.get(page_of(run), headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assert "<h2" in whole.content.decode()


def test_pages_of_differences_lead_forth_and_back(client: Client, run: ImportRun, monkeypatch: Any) -> None:
    monkeypatch.setattr("imports.differences.page_of.__defaults__", (2,))
    first = client.get(page_of(run))
    [later] = re.findall(r'id="later" href="(.*?)"', first.content.decode())
    second = client.get(page_of(run) + html.unescape(later))
    [earlier] = re.findall(r'id="earlier" href="(.*?)"', second.content.decode())
    again = client.get(page_of(run) + html.unescape(earlier))
    assert [shown(page) for page in (first, second, again)] == [["A", "C"], ["D", "E"], ["A", "C"]]
    assert 'id="earlier"' not in again.content.decode()


def test_preview_without_any_difference_says_so(client: Client) -> None:
    import_rows(FIRST)
    run = work(confirm(FIRST, preview=True))
    told = text_of(client.get(page_of(run)))
    assert "No product would change: the catalogue has all of this already." in told
    assert "Complete it: nothing changes" in told


def test_rejected_rows_are_shown_and_linked(client: Client, run: ImportRun) -> None:
    answer = client.get(page_of(run))
    assert "Rejected rows Line Column Value What is wrong 7 price dear" in text_of(answer)
    assert f'href="{page_of(run, "rejected")}"' in answer.content.decode()
    assert f'href="{page_of(run, "set_aside")}"' in answer.content.decode()


def test_new_products_that_a_crash_of_the_database_took_are_told_of(client: Client, run: ImportRun) -> None:
    assert "The database was restarted" not in text_of(client.get(page_of(run)))
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {run.staging_table}")
    answer = client.get(page_of(run))
    assert "The database was restarted since, so the new products can’t be listed here." in text_of(answer)
    assert (shown(answer), would(answer)["create"]) == (["C", "D"], 3)


# --- Approving and discarding -----------------------------------------------------------------------------


def test_approved_preview_is_imported(client: Client, staff: User, run: ImportRun) -> None:
    assert "Approve and import 5 rows" in text_of(client.get(page_of(run)))
    answer = client.post(page_of(run), {"action": "approve"})
    assert answer["Location"] == page_of(run)
    run = work(run)
    assert outcomes(run) == {"created": 3, "updated": 2, "unchanged": 1, "superseded": 1, "rejected": 1}
    assert run.approved_by == staff


def test_warnings_must_be_seen_before_it_is_approved(client: Client, warned: ImportRun) -> None:
    told = text_of(client.get(page_of(warned)))
    assert (
        "▲ 1 warning Many rows would be rejected. Threshold: 5 % of the rows. I have seen the warning" in told
    )
    refused = client.post(page_of(warned), {"action": "approve"})
    assert (refused.status_code, "Not approved. " in text_of(refused)) == (422, True)
    warned.refresh_from_db()
    assert warned.state == "previewed"

    client.post(page_of(warned), {"action": "approve", "accept": "yes"})
    assert work(warned).state == "completed"


def test_grave_warnings_wait_for_somebody_with_the_right(client: Client, staff: User, run: ImportRun) -> None:
    warn(run, second=True)
    assert "Nobody has that right yet" in text_of(client.get(page_of(run)))
    other = User.objects.create_user("gudrun", is_staff=True)
    other.user_permissions.set(
        Permission.objects.filter(codename__in=["approve_risky_import", "view_importrun"])
    )
    told = text_of(client.get(page_of(run)))
    assert "Waiting for somebody with the right to approve it. Ask gudrun." in told
    assert ("I have seen" in told, "Approve and import" in told, "Discard" in told) == (
        False,
        False,
        True,
    )
    assert client.post(page_of(run), {"action": "approve", "accept": "yes"}).status_code == 422

    client.force_login(other)
    assert "I have seen the warning" in text_of(client.get(page_of(run)))
    client.post(page_of(run), {"action": "approve", "accept": "yes"})
    run = work(run)
    assert (run.state, run.approved_by) == ("completed", other)


def test_discarded_preview_leaves_nothing_behind(client: Client, run: ImportRun) -> None:
    before = values("price")
    answer = client.post(page_of(run), {"action": "discard"}, follow=True)
    assert [str(message) for message in answer.context["messages"]] == [
        "The preview of catalog.csv was discarded. Nothing was imported."
    ]
    assert values("price") == before


def test_staff_who_may_only_look_see_the_preview_and_decide_nothing(client: Client, run: ImportRun) -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_importrun"))
    client.force_login(viewer)
    told = text_of(client.get(page_of(run)))
    assert ("C Name of C Line 4" in told, "Approve" in told, "Discard" in told) == (True, False, False)
    assert [
        client.post(page_of(run), {"action": action}).status_code for action in ("approve", "discard")
    ] == [403, 403]


def test_bar_of_an_approved_import_begins_anew(client: Client, run: ImportRun) -> None:
    client.post(page_of(run), {"action": "approve"})
    work_up_to(run, "load")
    run.refresh_from_db()
    assert (progress_of(run).percent, progress_of(run).unit) == (98 * 3 // 8, "rows")
    assert progress_of(work(run)).percent == 100


def test_second_click_on_approve_starts_nothing_twice(client: Client, run: ImportRun) -> None:
    client.post(page_of(run), {"action": "approve"})
    assert client.post(page_of(run), {"action": "approve"}).status_code == 200
    assert work(run).summary()["rows"] == 8


# --- Waiting, and what was changed meanwhile --------------------------------------------------------------


def test_approved_import_that_waits_says_who_is_ahead(client: Client, run: ImportRun) -> None:
    writing = confirm([row("X")])
    confirm([row("Y")])
    work_up_to(writing, "load")
    client.post(page_of(run), {"action": "approve"})
    told = text_of(client.get(page_of(run, "progress")))
    assert f"Import {writing.pk}: catalog.csv writes now. 1 more comes before this one" in told
    ImportRun.objects.filter(pk=writing.pk).update(paused_at="2026-11-20T08:00Z")
    told = text_of(client.get(page_of(run, "progress")))
    assert f"Import {writing.pk}: catalog.csv has its turn and is paused" in told


@pytest.mark.django_db(transaction=True)
def test_rows_changed_since_the_preview_can_be_previewed_again(client: Client, run: ImportRun) -> None:
    Product.objects.filter(sku="C").update(price="99.00")
    client.post(page_of(run), {"action": "approve"})
    run = work(run)
    assert (outcomes(run)["skipped"], values("price")["C"]) == (1, 99)
    listed = client.get(page_of(run, "set_aside"))
    assert "Preview these rows again" in text_of(listed)
    only = client.get(page_of(run, "set_aside"), {"only": "changed"})
    assert [row.sku for row in only.context["rows"]] == ["C"]
    again = client.post(page_of(run, "retry"))
    new = ImportRun.objects.order_by("pk").last()
    assert new is not None
    assert (again["Location"], work(new).state, would(client.get(page_of(new)))) == (
        page_of(new),
        "previewed",
        {"create": 0, "update": 1, "rows": 1},
    )


def test_import_without_such_rows_offers_no_new_preview(client: Client, run: ImportRun) -> None:
    client.post(page_of(run), {"action": "approve"})
    run = work(run)
    assert "Preview these rows again" not in text_of(client.get(page_of(run, "set_aside")))
    answer = client.post(page_of(run, "retry"), follow=True)
    [said] = answer.context["messages"]
    assert str(said).endswith("skipped no rows because of changes since its preview.")
    assert ImportRun.objects.count() == 2
