"""What imports did to a product, on its page, in the list of imports and on the terminal."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from imports import history
from imports.models import CreatedProducts, ImportRun, RejectedRow, RowChange
from shop.models import Product
from tests.imports.running import import_rows, row
from tests.imports.test_pages import text_of

pytestmark = pytest.mark.django_db

LIST = "/admin/imports/importrun/"


@pytest.fixture
def admin(client: Client) -> Client:
    """The browser of somebody who may do everything."""
    client.force_login(User.objects.create_superuser("ada"))
    return client


def told(sku: str) -> list[tuple[int, str, int | None, Any, Any]]:
    return [
        (event.run.pk, event.what, event.line, event.before, event.after) for event in history.of_sku(sku)
    ]


def panel_of(client: Client, sku: str, **query: str) -> str:
    """The text of the panel of changes on the product's page."""
    product = Product.objects.get(sku=sku)
    shown = text_of(client.get(reverse("admin:shop_product_change", args=[product.pk]), query))
    return shown.partition("Changes by imports and staff ")[2]


def an_undo(run: ImportRun, **fields: Any) -> ImportRun:
    """A completed undo of the run, of which nothing is journaled yet."""
    ended = {"state": "completed", "finished_at": run.finished_at} | fields
    return ImportRun.objects.create(kind="undo", undoes=run, filename=run.filename, size=0, **ended)


def changing(product: Product, day: int) -> ImportRun:
    """A run of that day of January 2020, long ago, which changed the price."""
    at = f"2020-01-{day:02}T00:00Z"
    run = ImportRun.objects.create(filename="x.csv", size=1, state="completed", created_at=at, finished_at=at)
    RowChange.objects.create(
        run=run, product_id=product.pk, line=2, before={"price": day}, after={"price": day + 1}
    )
    return run


# --- Events ----------------------------------------------------------------------------------------------


def test_events_of_a_sku_are_those_of_its_imports_newest_first() -> None:
    first = import_rows([row("A"), row("B")])
    import_rows([row("B", price="2")])
    third = import_rows([row("B"), row("A", price="3", stock="9")])
    assert told("A") == [
        (third.pk, "changed", 3, {"price": 12.50, "stock": 3}, {"price": 3.00, "stock": 9}),
        (first.pk, "created", None, None, None),
    ]


def test_events_tell_which_lines_did_not_land_and_why() -> None:
    run = import_rows([row("A"), row("A", price="2"), row("B", price="dear")])
    RejectedRow.objects.update(sku="B")
    assert [(event.run.pk, event.what, event.line, event.reason) for event in history.of_sku("A")] == [
        (run.pk, "superseded", 2, "Line 3 has the same SKU and comes later."),
        (run.pk, "created", None, ""),
    ]
    assert [(event.what, event.line) for event in history.of_sku("B")] == [("rejected", 4)]


def test_product_that_is_gone_keeps_its_history() -> None:
    run = import_rows([row("A")])
    product = Product.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(p) FROM shop_product p")
        [whole] = cursor.fetchone()
    undo = an_undo(run)
    RowChange.objects.create(run=undo, product_id=product.pk, line=0, before=json.loads(whole), after=None)
    product.delete()
    assert [(run, what) for run, what, *_ in told("A")] == [(undo.pk, "removed"), (run.pk, "created")]
    assert history.runs_touching("A") == {undo.pk, run.pk}


def test_what_an_undo_changed_was_restored_and_what_it_brought_back_says_so() -> None:
    run = import_rows([row("A"), row("B")])
    undo = an_undo(run)
    ours = {product.sku: product for product in Product.objects.all()}
    RowChange.objects.create(
        run=undo, product_id=ours["A"].pk, line=0, before={"price": 1}, after={"price": 2}
    )
    RowChange.objects.create(run=undo, product_id=ours["B"].pk, line=0, before=None, after={"sku": "B"})
    assert [next(event.what for event in history.of_product(ours[sku])) for sku in "AB"] == [
        "restored",
        "brought back",
    ]


def test_runs_that_touched_a_sku_are_found_and_others_are_not() -> None:
    created = import_rows([row("A"), row("B")])
    changed = import_rows([row("A", price="2")])
    import_rows([row("A", price="2"), row("B", price="3")])  # A was just so
    skipped = import_rows([row("A", price="4")], mode="create")
    assert history.runs_touching("A") == {created.pk, changed.pk, skipped.pk}
    assert history.runs_touching("a") == set()


# --- The product's page ----------------------------------------------------------------------------------


def test_product_page_shows_what_imports_changed(admin: Client) -> None:
    first = import_rows([row("A", category="Home > Kitchen", metadata='{"weight": 1, "colour": "oak"}')])
    second = import_rows(
        [row("A", category="Garden", published="no", metadata='{"weight": 2}', name="Bowl")], blank="clear"
    )
    shown = panel_of(admin, "A")
    assert shown.startswith(
        f"When By What now Import {second.pk}: catalog.csv line 2"
        " category Home &gt; Kitchen → Garden metadata colour: oak, weight: 1 → weight: 2"
        " name Name of A → Bowl published yes → no"
    )
    assert f"Import {first.pk}: catalog.csv Created" in shown


def test_product_page_shows_edits_of_staff_among_the_imports(admin: Client) -> None:
    first = import_rows([row("A")])
    product = Product.objects.get()
    form = {"name": "Mug", "sku": "A", "slug": product.slug, "price": "12.50", "stock": "3", "metadata": "{}",
            "options": "{}", "published": "on"}  # fmt: skip
    for prefix in ("images", "variants"):
        form |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    answer = admin.post(reverse("admin:shop_product_change", args=[product.pk]), form)
    assert answer.status_code == 302
    second = import_rows([row("A", name="Cup")])
    shown = panel_of(admin, "A")
    places = [shown.index(text) for text in (f"Import {second.pk}:", "ada", f"Import {first.pk}:")]
    assert places == sorted(places)
    assert "ada Changed Name" in shown


def test_product_page_shows_twenty_changes_and_leads_to_older_ones(admin: Client) -> None:
    import_rows([row("A")])
    ours = Product.objects.get()
    ImportRun.objects.update(created_at="2020-01-01T00:00Z", finished_at="2020-01-01T00:00Z")
    CreatedProducts.objects.all().delete()
    runs = [changing(ours, price).pk for price in range(1, 23)]
    newest, oldest = panel_of(admin, "A"), panel_of(admin, "A", changes="2")
    assert [f"Import {pk}:" in newest for pk in runs] == [False] * 2 + [True] * 20
    assert [f"Import {pk}:" in oldest for pk in runs] == [True] * 2 + [False] * 20
    assert ("Older" in newest, "Newer" in newest) == (True, False)
    assert ("Older" in oldest, "Newer" in oldest) == (False, True)
    assert panel_of(admin, "A", changes="-3") == panel_of(admin, "A", changes="x") == newest


def test_product_page_asks_as_often_for_twenty_changes_as_for_one(admin: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            panel_of(admin, "A")
        return len(asked)

    import_rows([row("A", category="Home")])
    import_rows([row("A", category="Garden")])
    few = queries()
    for number in range(8):
        import_rows([row("A", category=f"Room {number}")])
    assert queries() == few


def test_product_page_of_one_who_may_not_see_imports_has_no_links_to_them(client: Client) -> None:
    user = User.objects.create_user("sam", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_product"))
    client.force_login(user)
    run = import_rows([row("A")])
    page = client.get(reverse("admin:shop_product_change", args=[Product.objects.get().pk]))
    assert f"Import {run.pk}: catalog.csv" in page.content.decode()
    assert f"/admin/imports/importrun/{run.pk}/" not in page.content.decode()


def test_product_that_no_import_touched_says_what_would_be_here(admin: Client) -> None:
    Product.objects.create(sku="A", slug="a", name="A", price=1)
    assert panel_of(admin, "A").startswith("Nothing so far. Every import that creates or changes")


def test_values_of_products_are_escaped(admin: Client) -> None:
    import_rows([row("A")])
    import_rows([row("A", name="<script>alert(1)</script>")])
    page = admin.get(reverse("admin:shop_product_change", args=[Product.objects.get().pk])).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page.partition("Changes by imports")[2]


# --- The list --------------------------------------------------------------------------------------------


def shown_runs(client: Client, **query: str) -> list[int]:
    return [run.pk for run in client.get(LIST, query).context["cl"].result_list]


def test_list_finds_runs_by_name_and_by_sku(admin: Client) -> None:
    one = import_rows([row("A")])
    other = import_rows([row("A", price="2"), row("B")])
    ImportRun.objects.filter(pk=one.pk).update(filename="spring list.csv")
    assert shown_runs(admin, q="A") == [other.pk, one.pk]
    assert shown_runs(admin, q="B") == [other.pk]
    assert shown_runs(admin, q="list SPRING") == [one.pk]
    assert shown_runs(admin, q="nowhere") == []


def test_list_is_filtered_by_kind_mode_owner_and_day(admin: Client) -> None:
    ada = User.objects.get()
    plain = import_rows([row("A")])
    updating = import_rows([row("A", price="2")], mode="update")
    undo = an_undo(updating)
    previewed = import_rows([row("C")])
    ImportRun.objects.filter(pk=previewed.pk).update(preview=True)
    ImportRun.objects.filter(pk=plain.pk).update(owner=ada, created_at="2020-05-04T10:00Z")
    assert shown_runs(admin, kind="undo") == [undo.pk]
    assert shown_runs(admin, kind="import") == [updating.pk, plain.pk]
    assert shown_runs(admin, kind="preview") == [previewed.pk]
    assert shown_runs(admin, mode__exact="update") == [updating.pk]
    assert shown_runs(admin, owner=str(ada.pk)) == [plain.pk]
    assert shown_runs(admin, owner="none") == [previewed.pk, undo.pk, updating.pk]
    assert shown_runs(admin, created_at_from="2020-05-04", created_at_to="2020-05-04") == [plain.pk]
    assert shown_runs(admin, kind="nothing", owner="x") == [previewed.pk, undo.pk, updating.pk, plain.pk]


def test_list_asks_no_more_for_more_runs(admin: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            admin.get(LIST)
        return len(asked)

    import_rows([row("A")])
    few = queries()
    for price in range(5):
        import_rows([row("A", price=str(price))])
    assert queries() == few


# --- The command -----------------------------------------------------------------------------------------


def lines(*args: str) -> list[dict[str, Any]]:
    out = StringIO()
    call_command("import_history", *args, "--json", stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_command_tells_what_happened_to_a_sku() -> None:
    first = import_rows([row("A")])
    second = import_rows([row("A", price="2")])
    events = lines("--sku", "A")
    assert [(one["import"], one["what"], one["line"], one["after"]) for one in events] == [
        (second.pk, "changed", 2, {"price": 2.0}),
        (first.pk, "created", None, None),
    ]
    out = StringIO()
    call_command("import_history", "--sku", "A", stdout=out)
    assert "changed price: 12.50 → 2.00" in " ".join(out.getvalue().split())


def test_command_lists_the_newest_runs() -> None:
    import_rows([row("A")])
    second = import_rows([row("A", price="2"), row("B", price="dear")])
    [told] = lines("--limit", "1")
    assert {name: told[name] for name in ("id", "kind", "status", "rows", "updated", "rejected", "file")} == {
        "id": second.pk,
        "kind": "import",
        "status": "completed",
        "rows": 2,
        "updated": 1,
        "rejected": 1,
        "file": "catalog.csv",
    }
    out = StringIO()
    call_command("import_history", stdout=out)
    assert f"Import {second.pk}: catalog.csv" in " ".join(out.getvalue().split())


def test_command_for_an_unknown_sku_says_so() -> None:
    import_rows([row("A")])
    with pytest.raises(CommandError, match="No import had to do with the SKU “B”") as refused:
        call_command("import_history", "--sku", "B")
    assert refused.value.returncode == 2
