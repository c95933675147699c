"""Pause, resume and cancel, by the admin's pages and by commands; the line that can be seen."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from imports import pausing
from imports.models import ImportRun
from shop import stock
from shop.models import Product, StockMovement
from tasks import claiming
from tests.imports.running import (
    confirm,
    do,
    due_jobs,
    import_rows,
    in_small_pieces,
    outcomes,
    receive,
    row,
    values,
    work,
    work_up_to,
)
from tests.imports.test_pages import LIST, client, page_of, staff, text_of  # noqa: F401

pytestmark = pytest.mark.django_db


def fresh(run: ImportRun) -> ImportRun:
    return ImportRun.objects.get(pk=run.pk)


def half_loaded(settings: object) -> ImportRun:
    """An import over 20 products, some of which it has written: it changes them all and creates 20."""
    in_small_pieces(settings)
    import_rows([row(f"A-{number:02}", price="1.00") for number in range(20)])
    run = confirm([row(f"{letter}-{number:02}", price="2.00") for letter in "AB" for number in range(20)])
    do(work_up_to(run, "load"))
    run.refresh_from_db()
    assert run.changed > 0
    assert run.pending > 0
    return run


def test_buttons_pause_and_resume(client: Client, staff: User) -> None:  # noqa: F811
    run = confirm([row("A")])
    work_up_to(run, "load")
    assert 'id="pause"' in client.get(page_of(run)).content.decode()

    client.post(page_of(run, "pause"))

    page = client.get(page_of(run))
    shown = text_of(page)
    assert (fresh(run).paused_by, 'id="pause"' in page.content.decode()) == (staff, False)
    assert "Paused while writing to the catalogue" in shown
    assert "Paused by staff now . What had begun is finished, and nothing new begins." in shown
    assert "It keeps its turn: other imports wait until this one goes on or is cancelled." in shown
    assert " left" not in shown

    answer = client.post(page_of(run, "resume"), follow=True)
    assert [str(one) for one in answer.context["messages"]] == [f"Import {run.pk}: catalog.csv goes on."]
    assert fresh(run).paused_at is None
    assert outcomes(work(run)) == {"created": 1}


@pytest.mark.parametrize("page", ["pause", "resume"])
def test_following_a_link_steers_nothing(client: Client, page: str) -> None:  # noqa: F811
    run = confirm([row("A")])
    if page == "resume":
        pausing.pause(run=run)

    client.get(page_of(run, page))

    assert (fresh(run).paused_at is None) == (page == "pause")


@pytest.mark.parametrize("page", ["pause", "resume", "cancel"])
def test_who_may_only_look_steers_nothing(client: Client, staff: User, page: str) -> None:  # noqa: F811
    staff.user_permissions.remove(staff.user_permissions.get(codename="add_importrun"))
    run = confirm([row("A")])

    assert client.post(page_of(run, page)).status_code == 403
    assert 'id="pause"' not in client.get(page_of(run)).content.decode()


@pytest.mark.parametrize("page", ["pause", "resume"])
def test_ended_import_says_so_when_it_is_steered(client: Client, page: str) -> None:  # noqa: F811
    run = import_rows([row("A")])

    answer = client.post(page_of(run, page), follow=True)

    assert [str(one) for one in answer.context["messages"]] == [
        f"Nothing to {page}: Import {run.pk}: catalog.csv is completed."
    ]


def test_waiting_import_shows_who_writes_and_how_many_come_before(client: Client) -> None:  # noqa: F811
    first, second, third = (confirm([row(sku)]) for sku in "ABC")
    work_up_to(first, "load")

    assert f"Import {first.pk}: catalog.csv writes now. This one is next and starts by itself." in text_of(
        client.get(page_of(second))
    )
    assert "writes now. 1 more comes before this one, which then starts by itself." in text_of(
        client.get(page_of(third))
    )
    states = re.findall(r"waiting, number (\d) in line", client.get(LIST).content.decode())
    assert states == ["2", "1"]


def test_waiting_import_shows_that_the_one_that_writes_is_paused(client: Client) -> None:  # noqa: F811
    first, second = confirm([row("A")]), confirm([row("B")])
    work_up_to(first, "load")
    pausing.pause(run=first)

    shown = text_of(client.get(page_of(second)))
    assert "has its turn and is paused : nobody else writes until it goes on or is cancelled." in shown
    assert "paused, writing to the catalogue" in client.get(LIST).content.decode()


def test_preview_that_waits_for_approval_is_in_nobodys_way(client: Client) -> None:  # noqa: F811
    preview = confirm([row("A")], preview=True)
    ImportRun.objects.filter(pk=preview.pk).update(state="previewed")
    run = confirm([row("B")])

    [plan] = [job for job in due_jobs() if job.subject == run.subject]
    do(plan)

    assert fresh(run).state == "staging"


def test_cancel_keeps_what_landed_unless_told_otherwise(client: Client, settings: object) -> None:  # noqa: F811
    run = half_loaded(settings)
    question = text_of(client.get(page_of(run, "cancel")))
    assert f"{run.landed} rows landed so far. {run.pending} rows will not be imported." in question
    assert run.created == 0
    assert f"{run.updated} changed products stay as the file has them." in question
    assert f"{run.changed} products become what they were before this import." in question

    client.post(page_of(run, "cancel"), {"landed": "keep"})
    work(run)

    assert (run.state, run.undone_by.count()) == ("cancelled", 0)
    assert sum(price == 2 for price in values("price").values()) == run.changed


def test_cancel_with_undo_takes_back_before_the_next_one_writes(client: Client, settings: object) -> None:  # noqa: F811
    run = half_loaded(settings)
    following = confirm([row("A-00", price="3.00")])
    work_up_to(following, "plan")
    do(next(job for job in due_jobs() if job.kind == "imports.plan"))
    assert fresh(following).state == "waiting"

    answer = client.post(page_of(run, "cancel"), {"landed": "undo"})

    undo = run.undone_by.get()
    assert answer["Location"] == page_of(undo)
    assert (fresh(run).state, undo.state, fresh(following).state) == ("cancelled", "loading", "waiting")
    work(undo)
    assert (undo.state, undo.skipped) == ("completed", 0)
    assert {sku: str(price) for sku, price in values("price").items()} == {
        **{f"A-{number:02}": "1.00" for number in range(20)},
        "A-00": "3.00",
    }


def test_cancel_with_undo_of_an_import_that_changed_nothing_only_cancels(client: Client) -> None:  # noqa: F811
    run = confirm([row("A")])
    work_up_to(run, "load")
    assert 'name="landed"' not in client.get(page_of(run, "cancel")).content.decode()

    client.post(page_of(run, "cancel"), {"landed": "undo"})

    assert (fresh(run).state, ImportRun.objects.count()) == ("cancelled", 1)


def test_stock_that_had_sales_taken_off_is_told(client: Client) -> None:  # noqa: F811
    import_rows([row("A", stock="9")])
    run = confirm([row("A", stock="8")])
    stock.move({"A": -1}, kind=StockMovement.Kind.SALE)
    work(run)

    said = "1 product was sold while this import ran: its stock is the file’s, less what was sold."
    assert said in text_of(client.get(page_of(run)))
    assert run.summary()["stock_kept"] == 1


def test_import_that_adjusts_says_so(client: Client) -> None:  # noqa: F811
    run = import_rows([row("A")], stock_as="adjust")

    said = "Numbers of stock are pieces to add, or with a minus to take away."
    assert said in text_of(client.get(page_of(run)))


def test_draft_asks_what_a_number_of_stock_means_and_starts_so(client: Client) -> None:  # noqa: F811
    import_rows([row("A", stock="9")])
    run = receive("sku,stock\nA,-2\n", recall=False)
    page = client.get(page_of(run)).content.decode()
    assert re.findall(r'name="stock_as" value="(\w+)"( checked)?', page) == [
        ("set", " checked"),
        ("adjust", ""),
    ]
    choice = {"map-sku": "0", "map-stock": "1", "mode": "upsert", "stock_as": "adjust"}

    shown = client.post(page_of(run), choice | {"action": "preview"}, headers={"HX-Request": "true"})
    assert "is below zero" not in shown.content.decode()
    client.post(page_of(run), choice | {"action": "import"})
    work(run)

    assert (run.state, values("stock")) == ("completed", {"A": 7})


def said(command: str, *arguments: object) -> str:
    out = StringIO()
    call_command(command, *map(str, arguments), stdout=out)
    return out.getvalue().strip()


def test_commands_pause_and_resume() -> None:
    run = confirm([row("A")])
    claiming.claim(job_id=work_up_to(run, "load").pk)

    assert said("pause_import", run.pk) == (
        f"Import {run.pk}: catalog.csv is paused. 1 part that had begun will still be finished."
        f" To let it go on: manage.py resume_import {run.pk}"
    )
    assert fresh(run).paused_at is not None
    assert said("resume_import", run.pk) == f"Import {run.pk}: catalog.csv goes on."
    assert said("resume_import", run.pk) == f"Import {run.pk}: catalog.csv was not paused."
    assert fresh(run).paused_at is None


def test_command_cancels_and_takes_back(settings: object) -> None:
    run = half_loaded(settings)

    first, second = said("cancel_import", run.pk, "--undo").splitlines()

    assert first == f"Import {run.pk}: catalog.csv is cancelled. {run.changed} products had been changed."
    assert second.startswith("They are taken back. Watch it: http")
    work(run)
    assert {str(price) for price in values("price").values()} == {"1.00"}
    assert Product.objects.count() == 20


def test_command_cancels_and_keeps() -> None:
    run = confirm([row("A")])

    assert said("cancel_import", run.pk) == (
        f"Import {run.pk}: catalog.csv is cancelled. 0 products had been changed."
    )
    assert said("cancel_import", confirm([row("A")]).pk, "--undo").endswith("There is nothing to take back.")


@pytest.mark.parametrize(
    ("command", "done"),
    [("pause_import", "paused"), ("resume_import", "resumed"), ("cancel_import", "cancelled")],
)
def test_command_for_an_import_that_has_ended_or_is_unknown(command: str, done: str) -> None:
    run = import_rows([row("A")])

    with pytest.raises(CommandError, match=f"It can't be {done}: Import .* is completed.") as ended:
        call_command(command, str(run.pk))
    with pytest.raises(CommandError, match="There is no import 999999") as unknown:
        call_command(command, "999999")

    assert (ended.value.returncode, unknown.value.returncode) == (1, 2)
