"""Who waits for a product that is sold out is written to once when it is back; others never are."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core import signing
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from imports import undoing
from notifications import messages, outbox
from notifications.models import Message
from shop import ordering, personal_data, restocking, stock
from shop.models import Product, StockMovement, Subscription
from tests.accounts.people import a_customer
from tests.imports.running import import_rows, row, work
from tests.notifications.asking import (
    KIM,
    ask_stock,
    confirm,
    hours_pass,
    link_in,
    mails,
    send_all,
    states,
    tick,
)
from tests.shop.factories import a_product
from tests.shop.orders import an_order
from tests.shop.staffing import staff

pytestmark = pytest.mark.django_db
KIND = "back_in_stock"
NOTHING_DONE = ([], [])


@pytest.fixture
def bowl(settings: Any) -> Product:
    settings.SITE_URL = "https://shop.example"
    return a_product(sku="BOWL", slug="bowl", name="Bowl <Ω>", price=5, stock=0, options={"Size": "S"})


def restock(product: Product, pieces: int = 3) -> int:
    """Pieces come in; returns the number of the ledger's entry."""
    stock.move({product.sku: pieces}, kind=StockMovement.Kind.CORRECTION)
    return int(StockMovement.objects.filter(product=product).latest("pk").pk)


def waiting_for(product: Product, email: str = KIM) -> Subscription:
    """Somebody's consent, asked for and confirmed by HTTP."""
    ask_stock(product, email)
    confirm(email)
    return Subscription.objects.get(product=product, email=email, ended_at=None, used_at=None)


# From the form to the mailbox


def test_guest_asks_confirms_and_is_written_to_once(bowl: Product, mailoutbox: Any) -> None:
    page = Client().get("/p/bowl/").text
    answer = ask_stock(bowl)
    subscription = Subscription.objects.get()
    (question,) = mails()
    assert ('action="/mails/stock/"' in page, answer.status_code) == (True, 200)
    assert (question.kind, question.about) == ("confirm_subscription", f"subscription/{subscription.pk}")
    assert "when Bowl <Ω> can be bought again" in question.text

    asked = Client().get(link_in(question, "confirm"))
    assert ("Yes, write to me" in asked.text, states()) == (True, [(KIM, "asked")])  # scanners follow links
    confirm()
    tick()
    assert (states(), len(mails(KIND))) == ([(KIM, "confirmed")], 0)
    movement = restock(bowl)
    tick()
    send_all()

    (mail,) = mails(KIND)
    assert (mail.event, mail.state) == (f"subscription/{subscription.pk}/back_in_stock/{movement}", "sent")
    assert (mail.subject, states()) == ("Bowl <Ω> is back in stock", [(KIM, "used")])
    assert mail.text.split("\n\n")[1:4] == [
        "Bowl <Ω> (Size: S): €5.00",
        "We have it again. How long, nobody knows: nothing is put aside for you.",
        "See the product:\nhttps://shop.example/p/bowl/",
    ]
    assert "Bowl &lt;Ω&gt;" in mail.html
    assert mail.text.endswith(f"such mail any more:\nhttps://shop.example{link_in(mail, 'end')}\n")
    stock.move({"BOWL": -3}, kind=StockMovement.Kind.CORRECTION)
    restock(bowl)
    tick()
    assert (len(mails(KIND)), [mail.subject for mail in mailoutbox]) == (
        1,
        [question.subject, "Bowl <Ω> is back in stock"],
    )
    wording = "Write to me once, when this can be bought again."
    assert (subscription.wording.startswith(wording), bool(subscription.asked_at)) == (True, True)


def test_only_what_was_asked_for_carries_the_way_out(bowl: Product, mailoutbox: Any) -> None:
    waiting_for(bowl)
    restock(bowl)
    tick()
    send_all()

    question, back = mailoutbox
    way_out = f"<https://shop.example{link_in(mails(KIND)[0], 'end')}>"
    assert [header for header in question.extra_headers if header.startswith("List-")] == []
    assert back.extra_headers["List-Unsubscribe"] == way_out
    assert back.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_customer_whose_address_is_verified_needs_no_question(bowl: Product) -> None:
    client = Client()
    client.force_login(a_customer(verified=True), "django.contrib.auth.backends.ModelBackend")

    page = client.get("/p/bowl/").text
    ask_stock(bowl, "somebody-else@example.com", client)

    assert (f"We write to {KIM}." in page, 'type="email"' in page) == (True, False)
    assert (states(), Message.objects.count()) == ([(KIM, "confirmed")], 0)


def test_customer_whose_address_is_not_verified_is_asked(bowl: Product) -> None:
    client = Client()
    client.force_login(a_customer(), "django.contrib.auth.backends.ModelBackend")

    ask_stock(bowl, client=client)

    assert (states(), len(mails("confirm"))) == ([(KIM, "asked")], 1)


def test_same_person_twice_is_one(bowl: Product) -> None:
    first, again = ask_stock(bowl), ask_stock(bowl, "KIM@example.com")
    confirm()
    after = ask_stock(bowl)
    restock(bowl)
    tick()

    assert [answer.status_code for answer in (first, again, after)] == [200] * 3
    said, now_said = (re.sub(r'value="\w{64}"', "", answer.text) for answer in (first, after))  # CSRF's
    assert said == now_said  # nobody learns who waits
    assert (states(), [mail.kind for mail in mails()]) == ([(KIM, "used")], ["confirm_subscription", KIND])


def test_question_is_asked_anew_another_day(bowl: Product) -> None:
    ask_stock(bowl)
    Message.objects.update(event="subscription/1/confirm_subscription/2020-01-01")

    ask_stock(bowl)

    assert (len(mails("confirm")), len(states())) == (2, 1)


# Ways in which stock comes back


@pytest.mark.parametrize("way", ["import", "undo", "staff", "cancelled order"])
def test_every_way_in_which_stock_comes_back_is_seen(way: str) -> None:
    import_rows([row("BOWL", stock="2")])
    product, order = Product.objects.get(sku="BOWL"), None
    if way == "undo":
        emptied = import_rows([row("BOWL", stock="0")])
    elif way == "cancelled order":
        order = an_order({"BOWL": 2}, email="other@example.com")
    else:
        stock.move({"BOWL": -2}, kind=StockMovement.Kind.CORRECTION)
    subscription = waiting_for(product)
    tick()
    assert mails(KIND) == []

    if way == "import":
        import_rows([row("BOWL", stock="7")])
    elif way == "undo":
        work(undoing.begin(emptied))
    elif order:
        ordering.cancel(order=order)
    else:
        Product.objects.filter(pk=product.pk).update(stock=4)
    tick()

    last = StockMovement.objects.filter(product=product).latest("pk")
    assert [mail.event for mail in mails(KIND)] == [f"{subscription.subject}/back_in_stock/{last.pk}"]


def test_product_that_is_sold_out_again_before_the_tick_is_not_told_of(bowl: Product) -> None:
    waiting_for(bowl)
    restock(bowl)
    stock.move({"BOWL": -3}, kind=StockMovement.Kind.CORRECTION)
    tick()
    assert (mails(KIND), states()) == ([], [(KIM, "confirmed")])

    later = restock(bowl)
    tick()

    assert [mail.event.rpartition("/")[2] for mail in mails(KIND)] == [str(later)]


@pytest.mark.parametrize("hidden", ["unpublished", "its product unpublished", "has variants now", "deleted"])
def test_product_that_can_not_be_bought_is_not_told_of(bowl: Product, hidden: str) -> None:
    waiting_for(bowl)
    restock(bowl)
    if hidden == "unpublished":
        Product.objects.update(published=False)
    elif hidden == "its product unpublished":
        Product.objects.filter(pk=bowl.pk).update(parent=a_product(published=False))
    elif hidden == "deleted":
        bowl.delete()
    else:
        a_product(parent=bowl, options={"Size": "L"})
    tick()

    assert (mails(KIND), states()) == ([], [(KIM, "confirmed")])


def test_variant_is_told_of_with_the_way_to_it() -> None:
    shirt = a_product(slug="shirt", name="Shirt")
    small = a_product(parent=shirt, sku="S-S", name="Shirt", options={"Size": "S"}, stock=0)
    assert "mails/stock" not in Client().get("/p/shirt/").text
    assert f'value="{small.pk}"' in Client().get("/p/shirt/?variant=S-S").text
    waiting_for(small)
    restock(small)
    tick()

    assert "/p/shirt/?variant=S-S\n" in mails(KIND)[0].text


def test_one_that_fails_holds_up_no_other(bowl: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting_for(bowl, "first@example.com")
    waiting_for(bowl)
    restock(bowl)
    write = outbox.write

    def written(**mail: Any) -> list[Message]:
        if mail["recipients"] == ["first@example.com"]:
            raise ZeroDivisionError
        return write(**mail)

    monkeypatch.setattr(outbox, "write", written)
    tick()

    assert states() == [("first@example.com", "confirmed"), (KIM, "used")]
    monkeypatch.undo()
    tick()
    assert len(mails(KIND, "first@example.com")) == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_the_same_tick_write_to_each_once(bowl: Product) -> None:
    people = [f"kim{number}@example.com" for number in range(12)]
    Subscription.objects.bulk_create(
        Subscription(kind="stock", product=bowl, email=email, confirmed_at=timezone.now()) for email in people
    )
    restock(bowl)

    def tell(_: int) -> int:
        try:
            return restocking.tell()
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as threads:
        told = list(threads.map(tell, range(3)))

    assert sum(told) + restocking.tell() == len(people)
    assert sorted(Message.objects.values_list("recipient", flat=True)) == sorted(people)


def test_mail_and_use_are_one_transaction(bowl: Product) -> None:
    waiting_for(bowl)
    restock(bowl)

    with transaction.atomic():
        restocking.tell()
        transaction.set_rollback(True)

    assert (states(), mails(KIND)) == ([(KIM, "confirmed")], [])


def test_broken_template_gives_way_to_plain_words(bowl: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting_for(bowl)
    restock(bowl)
    monkeypatch.setattr(messages, "render", lambda *args, **more: 1 / 0)
    tick()

    (mail,) = mails(KIND)
    assert mail.text == (
        "It is back in stock:\nhttps://shop.example/p/bowl/\n\n"
        f"No such mail any more:\nhttps://shop.example{link_in(mail, 'end')}\n"
    )


# Taking it back


def test_mail_program_unsubscribes_with_one_post(bowl: Product) -> None:
    cup = a_product(sku="CUP", stock=0)
    waiting_for(bowl)
    waiting_for(cup)
    waiting_for(cup, "other@example.com")
    restock(bowl)
    tick()
    way_out = link_in(mails(KIND)[0], "end")
    strict = Client(enforce_csrf_checks=True)  # no cookie, no token, no login

    page = strict.get(way_out)
    assert ("Write to me no more" in page.text, states()[1]) == (True, (KIM, "confirmed"))
    answer = strict.post(way_out, {"List-Unsubscribe": "One-Click"})
    again = strict.post(way_out, {"List-Unsubscribe": "One-Click"})

    assert (answer.status_code, again.status_code) == (200, 200)
    assert states() == [(KIM, "ended"), (KIM, "ended"), ("other@example.com", "confirmed")]
    restock(cup)
    tick()
    assert (len(mails(KIND)), len(mails(KIND, "other@example.com"))) == (1, 1)


def test_consent_that_is_withdrawn_before_the_mail_is_written_gives_none(bowl: Product) -> None:
    subscription = waiting_for(bowl)
    restock(bowl)
    Client().post(_link(subscription, "end"))
    tick()

    assert (mails(KIND), states()) == ([], [(KIM, "ended")])


def test_mail_that_waits_is_held_back_when_it_is_not_wanted_any_more(bowl: Product, mailoutbox: Any) -> None:
    waiting_for(bowl)
    restock(bowl)
    tick()
    (mail,) = mails(KIND)
    Client().post(link_in(mail, "end"))
    send_all()

    mail.refresh_from_db()
    assert (mail.state, [sent.subject for sent in mailoutbox if "back in stock" in sent.subject]) == (
        "suppressed",
        [],
    )
    with pytest.raises(outbox.NotWanted):
        outbox.resend(mail)


def test_confirming_what_was_taken_back_does_not_bring_it_back(bowl: Product) -> None:
    ask_stock(bowl)
    Client().post(_link(Subscription.objects.get(), "end"))

    answer = confirm()

    assert ("You get no such mail" in answer.text, states()) == (True, [(KIM, "ended")])


def test_who_unsubscribed_may_ask_anew(bowl: Product) -> None:
    Client().post(_link(waiting_for(bowl), "end"))
    waiting_for(bowl)
    restock(bowl)
    tick()

    assert (states(), len(mails(KIND))) == ([(KIM, "ended"), (KIM, "used")], 1)


def _link(subscription: Subscription, purpose: str) -> str:
    token = signing.Signer(salt=f"shop.subscriptions.{purpose}", sep=".").sign(subscription.pk)
    return f"/mails/{token}/{purpose}/"


def test_forged_link_is_refused_and_does_nothing(bowl: Product) -> None:
    mine, other = waiting_for(bowl), waiting_for(bowl, "other@example.com")
    good = _link(mine, "end")
    token = good.split("/")[2]
    forged = [
        good.replace(f"/{mine.pk}.", f"/{other.pk}."),
        good[:-9] + ("A" if good[-9] != "A" else "B") + good[-8:],
        f"/mails/{other.pk}/end/",
        f"/mails/{token}/confirm/",  # each link is for one thing
        f"/mails/{token}/cart/",
        f"/mails/{signing.Signer(salt='x', sep='.').sign(mine.pk)}/end/",
    ]

    answers = {path: [Client().get(path).status_code, Client().post(path).status_code] for path in forged}

    assert answers == {path: [404, 404] for path in forged}
    assert {state for _, state in states()} == {"confirmed"}


# What is refused


@pytest.mark.parametrize(
    "address",
    [
        "",
        "kim",
        "kim@",
        f"{KIM}\nBcc: all@example.com",
        "a\0b@example.com",
        f"{'k' * 300}@example.com",
    ],
)
def test_address_that_is_none_is_told_and_asks_nobody(bowl: Product, address: str) -> None:
    answer = ask_stock(bowl, address)

    assert (answer.status_code, 'aria-describedby="wrong-email"' in answer.text) == (422, True)
    assert (states(), Message.objects.count()) == ([], 0)


def test_form_needs_its_token_and_a_product_that_is_sold_out(bowl: Product) -> None:
    form = {"product": str(bowl.pk), "email": KIM}
    assert Client(enforce_csrf_checks=True).post("/mails/stock/", form).status_code == 403
    for wrong in ("", "x", "00000000-0000-0000-0000-000000000000", str(a_product(published=False).pk)):
        assert Client().post("/mails/stock/", form | {"product": wrong}).status_code == 404
    restock(bowl)
    assert ask_stock(bowl).headers["Location"] == "/p/bowl/"

    assert (states(), Client().get("/mails/stock/").status_code) == ([], 405)


def test_address_is_asked_a_few_times_a_day_only(bowl: Product) -> None:
    others = [a_product(stock=0) for _ in range(6)]

    answers = [ask_stock(product).status_code for product in others]

    assert (answers, len(mails())) == ([200] * 5 + [429], 5)
    assert ask_stock(bowl, "other@example.com").status_code == 200


def test_one_place_asks_a_few_times_an_hour_only(bowl: Product) -> None:
    answers = [ask_stock(bowl, f"kim{number}@example.com").status_code for number in range(21)]

    assert answers == [200] * 20 + [429]


# What is kept, and who sees it


def test_what_nobody_confirms_is_forgotten_and_old_consent_too(bowl: Product) -> None:
    ask_stock(bowl)
    waiting_for(bowl, "other@example.com")
    hours_pass(7 * 24 - 1)
    tick()
    assert states() == [(KIM, "asked"), ("other@example.com", "confirmed")]

    hours_pass(2)
    tick()
    assert states() == [("other@example.com", "confirmed")]
    hours_pass(359 * 24)
    tick()
    assert states() == []


def test_subscriptions_are_handed_out_and_erased_with_the_rest(bowl: Product) -> None:
    waiting_for(bowl)
    waiting_for(bowl, "other@example.com")
    person = personal_data.of_address("Kim@example.com")
    assert person is not None

    held = personal_data.export(person)
    (asked,) = held["mails_asked_for"]
    assert (asked["email"], asked["kind"], asked["wording"][:16]) == (KIM, "stock", "Write to me once")
    assert "(link)" in held["mails"][0]["text"]
    figures = personal_data.erase(person)

    assert (figures["subscriptions"], figures["mails"], states()) == (
        1,
        1,
        [("other@example.com", "confirmed")],
    )
    assert KIM not in str(list(Message.objects.values()))


def test_account_shows_what_was_asked_for_and_takes_it_back(bowl: Product) -> None:
    cup = a_product(sku="CUP", stock=0)
    waiting_for(bowl)
    foreign = waiting_for(bowl, "other@example.com")
    client = Client()
    client.force_login(a_customer(verified=True), "django.contrib.auth.backends.ModelBackend")
    ask_stock(cup, client=client)
    page = client.get("/account/data/").text
    mine = Subscription.objects.get(product=cup)

    def end(pk: object) -> int:
        return int(client.post("/account/mails/end/", {"subscription": str(pk)}).status_code)

    assert page.count("Take it back") == 2
    assert [end(pk) for pk in (foreign.pk, 10**30, "x", "", "²")] == [404] * 5
    assert end(mine.pk) == 302
    assert states() == [(KIM, "confirmed"), ("other@example.com", "confirmed"), (KIM, "ended")]
    assert Client().post("/account/mails/end/", {"subscription": str(foreign.pk)}).status_code == 302
    assert states()[1] == ("other@example.com", "confirmed")


def test_staff_look_an_address_up_and_take_its_consent_back(bowl: Product) -> None:
    mine = waiting_for(bowl)
    waiting_for(bowl, "other@example.com")
    path = "/admin/shop/subscription/"
    action = {"action": "take_back", "_selected_action": [str(mine.pk)], "index": "0"}
    reader, clerk = staff("view_subscription"), staff("view_subscription", "change_subscription", name="two")

    found = reader.get(path, {"q": "KIM@example.com"}).text
    reader.post(path, action)
    assert (KIM in found, "other@example.com" in found) == (True, False)
    assert {state for _, state in states()} == {"confirmed"}
    clerk.post(path, action)

    assert states() == [(KIM, "ended"), ("other@example.com", "confirmed")]
    page = reader.get(f"{path}{mine.pk}/change/")
    assert (page.status_code, "Write to me once" in page.text, "taken back" in page.text) == (200, True, True)
