"""The ways to an undo: the page of an import, manage.py undo_import, and the mail at its end."""

from __future__ import annotations

import json
import re
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from imports import links, watching
from imports.models import ImportRun
from notifications.models import Message
from shop import stock
from shop.models import Product, StockMovement
from tests.imports.running import confirm, import_rows, row, values, work
from tests.imports.test_pages import page_of, shown_outcomes, text_of

pytestmark = pytest.mark.django_db

SALE = StockMovement.Kind.SALE


@pytest.fixture
def client(client: Client) -> Client:
    """The browser of someone who may import."""
    user = User.objects.create_user("staff", "staff@example.com", is_staff=True)
    may = ["add_importrun", "undo_import", "view_importrun"]
    user.user_permissions.set(Permission.objects.filter(codename__in=may))
    client.force_login(user)
    return client


@pytest.fixture
def sold() -> ImportRun:
    """An import of three products, of one of which two pieces were sold since."""
    run = import_rows([row("A", stock="5"), row("B"), row("C")])
    stock.move({"A": -2}, kind=SALE)
    return run


def test_page_says_what_an_undo_would_do_and_then_does_it(client: Client, sold: ImportRun) -> None:
    assert page_of(sold, "undo") in client.get(page_of(sold)).content.decode()

    asked = text_of(client.get(page_of(sold, "undo")))
    assert "Undo the import of catalog.csv?" in asked
    assert "2 are taken out of the catalogue 1 stays as it is" in asked
    assert "A 2 sold since." in asked
    answer = client.post(page_of(sold, "undo"))
    undo = ImportRun.objects.latest("pk")
    assert (answer["Location"], undo.undoes, undo.owner) == (page_of(undo), sold, User.objects.get())

    work(undo)
    page = client.get(page_of(undo))
    assert shown_outcomes(page) == {"removed": 2, "kept": 1, "rows": 3}
    assert f"takes back Import {sold.pk}: catalog.csv" in text_of(page)
    assert "2 of 3 products are as they were before" in text_of(page)
    assert "A 2 sold since." in text_of(client.get(page_of(undo, "set_aside")))
    assert f"Taken back by undo {undo.pk} ." in text_of(client.get(page_of(sold)))


def test_page_of_an_undo_offers_the_redo(client: Client, sold: ImportRun) -> None:
    client.post(page_of(sold, "undo"))
    undo = work(ImportRun.objects.latest("pk"))
    assert re.search(rf'href="{page_of(undo, "undo")}">Redo</a>', client.get(page_of(undo)).content.decode())

    asked = text_of(client.get(page_of(undo, "undo")))
    assert f"Redo what undo {undo.pk} took back?" in asked
    assert "2 come back into the catalogue" in asked
    client.post(page_of(undo, "undo"))
    work(ImportRun.objects.latest("pk"))

    assert sorted(values("sku")) == ["A", "B", "C"]
    again = client.get(page_of(undo, "undo"), follow=True)
    assert f"was taken back by undo {ImportRun.objects.latest('pk').pk}." in again.content.decode()


def test_page_of_an_undo_on_its_way_speaks_of_products(client: Client, sold: ImportRun) -> None:
    other = confirm([row("Z")])
    client.post(page_of(sold, "undo"))
    undo = ImportRun.objects.latest("pk")

    page = text_of(client.get(page_of(undo)))
    assert "0 of 3 products" in page
    assert f"Cancel undo {undo.pk}?" in text_of(client.get(page_of(undo, "cancel")))
    client.post(page_of(undo, "cancel"))
    stopped = text_of(client.get(page_of(undo)))
    assert f"Undo import {sold.pk} again to go on" in stopped
    work(other)


def test_undo_needs_the_right_to_import(client: Client, sold: ImportRun) -> None:
    User.objects.get().user_permissions.set(Permission.objects.filter(codename="view_importrun"))

    assert client.get(page_of(sold, "undo")).status_code == 403
    assert client.post(page_of(sold, "undo")).status_code == 403
    assert "Undo this import" not in client.get(page_of(sold)).content.decode()


def test_import_that_changed_nothing_offers_no_undo(client: Client) -> None:
    run = work(confirm("sku,price\nA,5\n", mode="update"))

    assert "Undo this import" not in client.get(page_of(run)).content.decode()
    answer = client.get(page_of(run, "undo"), follow=True)
    assert "changed nothing, so there is nothing to take back" in answer.content.decode()


def test_command_previews_and_begins(sold: ImportRun, settings: Any) -> None:
    said = StringIO()
    call_command("undo_import", str(sold.pk), "--preview", stdout=said)
    assert said.getvalue().splitlines() == [
        f"{sold}, taken back. Of its products",
        "             2  are taken out of the catalogue",
        "             1  stays as it is, because something else happened to it since",
        "  A: 2 sold since.",
        "Nothing was changed. Leave out --preview to do it.",
    ]
    said = StringIO()
    call_command("undo_import", str(sold.pk), "--preview", "--json", stdout=said)
    assert json.loads(said.getvalue()) == {
        "id": sold.pk, "restore": 0, "remove": 2, "bring_back": 0, "keep": 1, "done": 0,
        "kept": [{"sku": "A", "code": "sold", "reason": "2 sold since."}],
    }  # fmt: skip

    said = StringIO()
    call_command("undo_import", str(sold.pk), stdout=said)
    undo = ImportRun.objects.latest("pk")
    assert said.getvalue() == f"{undo} has begun. Watch it: {links.import_page(undo)}\n"
    assert work(undo).removed == 2


@pytest.mark.parametrize(("option", "code"), [("--wait", 0), ("--json", 0), ("--wait", 1)])
def test_command_that_waits_tells_the_result_and_how_it_ended(
    sold: ImportRun,
    option: str,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def watched(run: ImportRun, *, quiet: bool) -> ImportRun:
        work(run)
        if code:
            ImportRun.objects.filter(pk=run.pk).update(state="failed", error="The disk is full.")
        run.refresh_from_db()
        return run

    monkeypatch.setattr(watching, "watch", watched)
    said = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("undo_import", str(sold.pk), option, stdout=said)

    assert ended.value.code == code
    if option == "--json":
        assert json.loads(said.getvalue())["removed"] == 2
    else:
        printed = capsys.readouterr().out
        assert re.search(r"removed\W+2\b", printed)
        assert "Kept as they are: 1\n  A: 2 sold since.\n" in printed


def test_command_refuses_what_cannot_be_undone() -> None:
    run = import_rows([row("A")])
    Product.objects.all()
    work(confirm([row("A")]))
    same = ImportRun.objects.latest("pk")
    for pk, message in [
        (run.pk + 99, f"There is no import {run.pk + 99}. Their numbers are in the admin's list."),
        (same.pk, f"{same} changed nothing, so there is nothing to take back."),
    ]:
        with pytest.raises(CommandError) as refused:
            call_command("undo_import", str(pk))
        assert (str(refused.value), refused.value.returncode) == (message, 2)


def test_mail_of_an_undo_tells_what_it_did(sold: ImportRun, settings: Any) -> None:
    settings.IMPORT_MAIL_TO = ["shop@example.com"]
    call_command("undo_import", str(sold.pk), stdout=StringIO())
    undo = work(ImportRun.objects.latest("pk"))

    mail = Message.objects.get(about=undo.subject)
    assert mail.subject == f"Undo of import {sold.pk} finished: 2 of 3 products taken back, 1 kept"
    assert [line for line in mail.text.splitlines()[2:8] if line] == [
        "catalog.csv", "Removed: 2", "Kept: 1", "Products to be taken back: 3",
    ]  # fmt: skip
    assert f"Open undo {undo.pk}" in mail.html
