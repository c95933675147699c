"""Who wanted it is reminded once of a cart that was left, and nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from notifications.models import Message
from shop import subscriptions
from shop.models import Cart, Product, Subscription
from tests.accounts.people import a_customer, log_in
from tests.notifications.asking import (
    KIM,
    ask_cart,
    confirm,
    hours_pass,
    link_in,
    mails,
    send_all,
    states,
    tick,
)
from tests.shop.buying import add, check_out, in_carts
from tests.shop.factories import a_product
from tests.shop.orders import a_checkout, an_order

pytestmark = pytest.mark.django_db
KIND = "abandoned_cart"


@pytest.fixture
def bowl(settings: Any) -> Product:
    settings.SITE_URL = "https://shop.example"
    a_checkout()
    return a_product(sku="BOWL", slug="bowl", name="Bowl <Ω>", price=5, stock=9)


def with_cart(product: Product, pieces: int = 2, *, wants: bool = True) -> Client:
    """A guest's browser with something in its cart, who wants to be reminded and has confirmed that."""
    client = Client()
    add(client, product, pieces)
    if wants:
        ask_cart(client)
        confirm()
    return client


def test_guest_is_reminded_once_and_comes_back_by_the_link(bowl: Product, mailoutbox: Any) -> None:
    client = with_cart(bowl)
    hours_pass(23)
    tick()
    assert mails(KIND) == []
    hours_pass(2)
    tick()
    send_all()

    (mail,) = mails(KIND)
    cart = Cart.objects.get()
    subscription = Subscription.objects.get()
    assert (mail.event, mail.state) == (f"{subscription.subject}/abandoned_cart/{cart.pk}", "sent")
    way_back = link_in(mail, "cart")
    assert mail.text.split("\n\n")[1:4] == [
        "You wanted to be reminded of it. Prices are those of today, and nothing is put aside for you.",
        f"Go on with this cart:\nhttps://shop.example{way_back}",
        "In your cart:\n2 × Bowl <Ω>: €10.00\nSubtotal: €10.00",
    ]
    assert "List-Unsubscribe" in mailoutbox[-1].extra_headers
    assert client.get(way_back).headers["Location"] == "/cart/"  # in this browser it is there already
    elsewhere = Client()
    shown = elsewhere.get(way_back)
    assert ("Bowl &lt;Ω&gt;" in shown.text, Cart.objects.count()) == (True, 1)
    for _ in range(2):
        assert elsewhere.post(way_back).headers["Location"] == "/cart/"
    assert "€10.00" in elsewhere.get("/cart/").text
    assert set(Cart.objects.values_list("lines__quantity", flat=True)) == {2}
    hours_pass(999)
    tick()
    assert len(mails(KIND)) == 1
    assert "We have written to you about this cart." in client.get("/cart/").text


def test_cart_page_asks_with_the_box_empty_and_keeps_the_words(bowl: Product) -> None:
    client = with_cart(bowl, wants=False)
    page = client.get("/cart/").text
    assert ('name="wants" value="1" id="wants">' in page, states()) == (True, [])

    ask_cart(client, wants="")
    assert (states(), Message.objects.count()) == ([], 0)
    wrong = ask_cart(client, "kim")
    assert (wrong.status_code, 'aria-describedby="wrong-email"' in wrong.text) == (422, True)
    ask_cart(client)

    subscription = Subscription.objects.get()
    assert subscription.wording.startswith("Remind me once by e-mail if I leave this cart without ordering.")
    assert 'id="wants" checked' in client.get("/cart/").text
    assert (ask_cart(Client()).headers["Location"], states()) == ("/cart/", [(KIM, "asked")])  # has no cart


@pytest.mark.parametrize("why", ["no consent", "not confirmed", "withdrawn", "unticked"])
def test_nobody_is_reminded_without_consent(bowl: Product, why: str) -> None:
    client = with_cart(bowl, wants=False)
    if why != "no consent":
        ask_cart(client)
    if why in ("withdrawn", "unticked"):
        confirm()
    if why == "withdrawn":
        link = subscriptions.link(Subscription.objects.get(), "end").removeprefix("https://shop.example")
        Client().post(link, {"List-Unsubscribe": "One-Click"})
    if why == "unticked":
        ask_cart(client, wants="")
    hours_pass(25)
    tick()

    assert mails(KIND) == []


def test_who_orders_this_cart_is_not_reminded_of_it_nor_of_the_next(bowl: Product) -> None:
    client = with_cart(bowl)
    answer = check_out(client, email="work@example.com")
    assert answer.status_code == 302
    assert Subscription.objects.get().reason == "ordered"
    add(client, bowl, 1)
    hours_pass(25)
    tick()
    assert (mails(KIND), 'id="wants">' in client.get("/cart/").text) == ([], True)

    ask_cart(client)
    confirm()
    hours_pass(25)
    tick()
    assert (len(mails(KIND)), states()) == (1, [(KIM, "ended"), (KIM, "used")])


def test_who_orders_elsewhere_is_not_reminded(bowl: Product) -> None:
    with_cart(bowl)
    hours_pass(25)
    an_order({"BOWL": 1}, email="KIM@example.com")
    tick()

    assert (mails(KIND), Subscription.objects.get().reason) == ([], "ordered")


def test_order_between_mail_and_delivery_holds_the_mail_back(bowl: Product, mailoutbox: Any) -> None:
    client = with_cart(bowl)
    hours_pass(25)
    tick()
    check_out(client)
    send_all()

    assert (mails(KIND)[0].state, [sent.subject for sent in mailoutbox if "cart" in sent.subject]) == (
        "suppressed",
        [],
    )


@pytest.mark.parametrize("what", ["emptied", "sold out", "deleted"])
def test_cart_with_nothing_to_buy_is_not_written_about(bowl: Product, what: str) -> None:
    client = with_cart(bowl)
    if what == "emptied":
        client.post("/cart/change/", {"remove": str(bowl.pk)})
    elif what == "sold out":
        Product.objects.update(stock=0)
    else:
        bowl.delete()
    hours_pass(25)
    tick()

    assert (mails(KIND), Subscription.objects.get().reason) == ([], "empty")


def test_cart_that_is_used_again_is_not_left(bowl: Product) -> None:
    client = with_cart(bowl)
    hours_pass(23)
    add(client, bowl)
    hours_pass(2)
    tick()

    assert (mails(KIND), states()) == ([], [(KIM, "confirmed")])


def test_customer_ticks_the_box_and_is_reminded_without_a_question(bowl: Product) -> None:
    user = a_customer(verified=True)
    client = Client()
    log_in(client)
    add(client, bowl)

    ask_cart(client, "stranger@example.com")
    hours_pass(25)
    tick()

    assert [(mail.kind, mail.recipient) for mail in Message.objects.all()] == [(KIND, KIM)]
    assert Subscription.objects.get().customer == user


def test_login_takes_the_consent_along_with_the_cart(bowl: Product) -> None:
    a_customer(verified=True)
    client = with_cart(bowl)
    log_in(client)
    assert Subscription.objects.get().cart == Cart.objects.get()
    hours_pass(25)
    tick()

    assert len(mails(KIND)) == 1


def test_another_address_for_the_same_cart_takes_the_place_of_the_first(bowl: Product) -> None:
    client = with_cart(bowl, wants=False)
    ask_cart(client, "kmi@example.com")
    ask_cart(client, wants="")
    ask_cart(client)

    assert states() == [("kmi@example.com", "ended"), (KIM, "asked")]


def test_link_of_a_cart_adds_nothing_twice_and_ends_with_the_cart(bowl: Product) -> None:
    cup = a_product(sku="CUP", stock=9)
    with_cart(bowl, 2)
    hours_pass(25)
    tick()
    way_back = link_in(mails(KIND)[0], "cart")
    elsewhere = Client()
    add(elsewhere, cup, 1)
    add(elsewhere, bowl, 5)
    elsewhere.post(way_back)

    assert in_carts() == {"CUP": 1, "BOWL": 5}
    Cart.objects.filter(lines__quantity=2).delete()
    assert "This cart is gone" in elsewhere.get(way_back).text
