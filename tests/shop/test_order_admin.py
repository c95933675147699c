"""Orders as staff see them and act on them, over HTTP."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from notifications.models import Message
from shop import charging, ordering, paying
from shop.models import DiscountCode, Order, Product, Refund, Shipment
from tests.shop.factories import a_product
from tests.shop.orders import a_paid_order, a_payment, an_order, findings, stocks
from tests.shop.staffing import (
    ORDERS,
    form_of,
    messages_of,
    packer,
    page_of,
    pieces,
    staff,
    text_of,
)  # fmt: skip


@pytest.fixture
def goods() -> None:
    a_product(sku="FORK", name="Fork", price=Decimal("4.00"), stock=100)
    a_product(sku="KNIFE", name="Knife", price=Decimal("10.00"), stock=100)


PAYS = "4242 4242 4242 4242"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("goods")]


def listed(client: Client, **query: Any) -> list[int]:
    """The numbers of the orders in the list."""
    page = client.get(ORDERS, query)
    assert page.status_code == 200
    return [int(number) for number in re.findall(r"field-numbered[^>]*>\s*<a [^>]*>(\d+)<", page.text)]


def state(order: Order) -> str:
    order.refresh_from_db()
    return str(order.state)


def run(client: Client, action: str, *orders: Order) -> Any:
    return client.post(
        ORDERS, {"action": action, "_selected_action": [str(one.pk) for one in orders], "index": "0"}
    )


def charged(pieces: dict[str, int], card: str = PAYS) -> Order:
    """An order that was paid by card, as the card's provider knows."""
    order = an_order(pieces)
    charging.pay(order=order, method="test-card", key=f"card-{order.number}", details={"card_number": card})
    order.refresh_from_db()
    return order


# The list


def test_order_list_shows_the_newest_first_with_state_total_and_pieces() -> None:
    old, new = an_order({"FORK": 2, "KNIFE": 1}), a_paid_order({"KNIFE": 120 - 100})
    page = packer().get(ORDERS).text
    rows = [
        " ".join(re.sub("<[^>]*>", " ", row).split())
        for row in re.findall(r"<tr\b(?:(?!</tr>).)*field-numbered.*?</tr>", page, re.S)
    ]

    assert [re.sub(r"^.*?(\d{5,}) ", r"\1 ", row) for row in rows] == [
        f"{new.number} Kim Doe kim@example.com paid 216.00 EUR 20 now",
        f"{old.number} Kim Doe kim@example.com waiting for payment 19.44 EUR 3 now",
    ]


def test_order_search_finds_number_address_and_sku() -> None:
    fork = an_order({"FORK": 1}, email="Ann@example.com")
    knife = an_order({"KNIFE": 1}, email="bob@example.com")
    client = packer()

    found = {
        term: listed(client, q=term)
        for term in (str(fork.number), f"#{knife.number}", "ann@", "BOB@example.com", "KNIFE", "fork", "zoe")
    }
    assert found == {
        str(fork.number): [fork.number],
        f"#{knife.number}": [knife.number],
        "ann@": [fork.number],
        "BOB@example.com": [knife.number],
        "KNIFE": [knife.number],
        "fork": [fork.number],
        "zoe": [],
    }


def test_order_search_finds_a_sku_that_its_product_no_longer_has() -> None:
    order = an_order({"FORK": 1})
    Product.objects.filter(sku="FORK").update(sku="FORK-2")

    assert listed(packer(), q="FORK") == [order.number]


def test_order_filters_by_state_day_and_money_owed() -> None:
    pending, paid = an_order({"FORK": 1}), a_paid_order({"FORK": 1})
    late = an_order({"FORK": 1})
    awaiting = a_payment(late, gateway="invoice", awaiting=True)
    ordering.cancel(order=late)
    paying.mark_paid(payment=awaiting)
    Order.objects.filter(pk=pending.pk).update(placed_at="2026-03-10T12:00Z")
    client = packer()

    assert listed(client, state__exact="paid") == [paid.number]
    assert listed(client, placed_at_from="2026-03-10", placed_at_to="2026-03-10") == [pending.number]
    assert listed(client, money="owed") == [late.number]


def test_money_that_came_twice_is_owed_until_it_is_given_back() -> None:
    order = an_order({"FORK": 1})
    first = a_payment(order, gateway="invoice", awaiting=True)
    charging.pay(order=order, method="test-card", key="card", details={"card_number": PAYS})
    paying.mark_paid(payment=first)
    client = packer()
    assert listed(client, money="owed") == [order.number]

    form = form_of(client, page_of(order, "refund"))
    client.post(page_of(order, "refund"), form | pieces(order))

    assert (listed(client, money="owed"), state(order), findings()) == ([], "paid", [])


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("q=kim@", "order_email"),
        ("q=KNIFE", "order_line_sku"),
        ("state__exact=paid", "order_state"),
        ("money=owed", "order_paid_in_vain"),
        ("money=owed", "payment_stray"),
        ("", "order_placed"),
    ],
)
def test_order_list_is_read_by_an_index(query: str, index: str) -> None:
    an_order({"KNIFE": 1})
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    orders = _queryset(query)

    assert index in orders.explain()


def _queryset(query: str) -> Any:
    from django.contrib import admin
    from django.contrib.auth.models import AnonymousUser
    from django.http import HttpRequest, QueryDict

    request = HttpRequest()
    request.GET, request.user = QueryDict(query), AnonymousUser()
    changelist = admin.site.get_model_admin(Order).get_changelist_instance(request)
    return changelist.get_queryset(request)[:50]


# Who may


def test_each_page_asks_for_its_permission() -> None:
    order = an_order({"FORK": 1})
    opened = {}
    everything = ["change", "fulfil", "tracking/1", "deliver", "cancel", "received", "refund"]
    for number, permission in enumerate(
        ["", "view_order", "fulfil_order", "cancel_order", "refund_order", "change_payment"]
    ):
        client = staff("view_order" if permission else "", permission, name=f"clerk-{number}")
        opened[permission] = [
            page for page in everything if client.get(page_of(order, page)).status_code != 403
        ]
    assert opened == {
        "": [],
        "view_order": ["change"],
        "fulfil_order": ["change", "fulfil", "tracking/1", "deliver"],
        "cancel_order": ["change", "cancel"],
        "refund_order": ["change", "refund"],
        "change_payment": ["change", "received"],
    }


def test_somebody_who_may_only_look_is_offered_nothing_to_do() -> None:
    order = a_paid_order({"FORK": 1})
    client = staff("view_order")

    assert "im-actions" not in client.get(page_of(order)).text
    assert "Send all that is left" not in client.get(ORDERS).text
    run(client, "send_rest", order)
    assert state(order) == "paid"


def test_order_can_be_neither_edited_nor_deleted_nor_added() -> None:
    order = an_order({"FORK": 1})
    client = packer()

    assert client.get(f"{ORDERS}add/").status_code == 403
    assert client.post(page_of(order, "delete"), {"post": "yes"}).status_code == 403
    assert client.post(page_of(order), {"state": "paid"}).status_code == 405
    assert state(order) == "pending"


# The order's own page


def test_order_page_tells_the_whole_story(django_assert_max_num_queries: Any) -> None:
    order = a_paid_order({"FORK": 2, "KNIFE": 1})
    ordering.fulfil(order=order, pieces={"FORK": 2}, carrier="Post", tracking_code="T-1", by="ann")
    payment = order.payments.get()
    begun = paying.reserve_refund(
        payment=payment, amount=Decimal(10), key="r", restock={"KNIFE": 1}, reason="Broken <b>", by="bob"
    )
    paying.refund_recorded(refund=begun)
    client = packer()
    with django_assert_max_num_queries(16):
        page = client.get(page_of(order))

    story = re.findall(r'<ol class="or-story">(.*?)</ol>', page.text, re.S)[0]
    told = [
        " ".join(re.sub("<[^>]*>", " ", part).split()).split(" · ")
        for part in re.findall(r"<li.*?</li>", story, re.S)
    ]
    today = f"{timezone.localtime(order.placed_at):%-d %b %Y, %H:%M}"
    assert told == [
        [f"Placed {today}"],
        [f"Paid 19.44 EUR by test-card {today}"],
        [f"Shipment 1 sent 2 × FORK {today}", "ann"],
        [f"Refunded 10.00 EUR; back into stock: 1 × KNIFE; Broken &lt;b&gt; {today}", "bob"],
    ]
    text = text_of(page)
    for part in ("Shipment 1 with Post · T-1", "Total 19.44 EUR", "Kim Doe Main Street 1 3000 Bern CH"):
        assert part in text


def test_stock_ledger_leads_to_the_order() -> None:
    order = an_order({"FORK": 1})
    product = Product.objects.get(sku="FORK")
    client = staff("view_product", "view_order")
    link = f"{ORDERS}number/{order.number}/"

    assert (
        f'href="{link}">Sale, order {order.number}<'
        in client.get(f"/admin/shop/product/{product.pk}/change/").text
    )
    assert client.get(link).headers["Location"] == page_of(order)
    assert client.get(f"{ORDERS}number/1/").status_code == 404


# Sending


def test_order_is_sent_in_two_shipments() -> None:
    order = a_paid_order({"FORK": 2, "KNIFE": 1})
    client, address = packer(), page_of(order, "fulfil")
    tracked = {"carrier": "Post", "tracking_code": "T-1", "tracking_url": "https://post.test/T-1"}

    first = client.post(address, form_of(client, address) | pieces(order, FORK=1) | tracked)
    assert (first.headers["Location"], messages_of(first)) == (
        page_of(order),
        [f"Shipment 1 of Order {order.number} was sent."],
    )
    assert state(order) == "paid"
    client.post(address, form_of(client, address))  # all that is left, as the form suggests

    assert state(order) == "fulfilled"
    sent = Shipment.objects.filter(order=order).values_list("number", "carrier", "tracking_url")
    assert list(sent) == [(1, "Post", "https://post.test/T-1"), (2, "", "")]
    by = order.events.filter(kind="shipped").values_list("by", "details__pieces")
    assert list(by) == [("clerk", {"FORK": 1}), ("clerk", {"FORK": 1, "KNIFE": 1})]


def test_double_click_sends_one_shipment() -> None:
    order = a_paid_order({"FORK": 2})
    client, address = packer(), page_of(order, "fulfil")
    form = form_of(client, address)

    answers = [client.post(address, form) for _ in range(2)]

    assert [answer.headers["Location"] for answer in answers] == [page_of(order)] * 2
    assert order.shipments.count() == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"FORK": 0}, "Nothing is in this shipment. Say how many pieces of what you send."),
        ({"FORK": 3}, "Nothing was done. 3 pieces of FORK can't be sent: 2 are left"),
        ({"FORK": -1}, "Ensure this value is greater than or equal to 0."),
        ({"FORK": 10**9}, "Ensure this value is less than or equal to 9999."),
    ],
)
def test_shipment_that_can_not_be_is_refused_with_the_reason(change: dict[str, int], said: str) -> None:
    order = a_paid_order({"FORK": 2})
    client, address = packer(), page_of(order, "fulfil")

    answer = client.post(address, form_of(client, address) | pieces(order, **change))

    assert (answer.status_code, state(order), order.shipments.count()) == (422, "paid", 0)
    assert said in text_of(answer)


def test_tracking_address_that_is_a_script_is_refused() -> None:
    order = a_paid_order({"FORK": 2})
    client, address = packer(), page_of(order, "fulfil")

    answer = client.post(address, form_of(client, address) | {"tracking_url": "javascript:alert(1)"})

    assert (answer.status_code, order.shipments.count()) == (422, 0)
    assert answer.context["form"].errors == {"tracking_url": ["Enter a valid URL."]}


def changes(order: Order) -> list[tuple[str, str]]:
    """Who changed how a parcel of the order is followed, and what of it."""
    told = order.events.filter(kind="tracking").values_list("by", "details__shipment", "details__changed")
    return [(by, f"{number}: {', '.join(names)}") for by, number, names in told]


def test_tracking_is_changed_noted_and_mailed_once_a_change() -> None:
    order = a_paid_order({"FORK": 2})
    ordering.fulfil(order=order, carrier="Post", tracking_code="T-1", tracking_url="https://post.test/T-1")
    client, address = packer(), page_of(order, "tracking/1")
    form = form_of(client, address)
    said = form | {"tracking_code": "T-2 <b>", "tracking_url": "https://post.test/T-2"}

    answers = [client.post(address, one) for one in (form, said, said, said | {"carrier": "Courier"})]

    assert [answer.headers["Location"] for answer in answers] == [page_of(order)] * 4
    assert changes(order) == [("clerk", "1: tracking_code, tracking_url"), ("clerk", "1: carrier")]
    mails = Message.objects.filter(about=order.subject, kind="order_tracking_changed").order_by("pk")
    assert [mail.text.split("\n\n")[2] for mail in mails] == [
        f"Sent with {carrier}.\nTracking code: T-2 <b>\nFollow the parcel:\nhttps://post.test/T-2"
        for carrier in ("Post", "Courier")
    ]
    story = text_of(client.get(page_of(order)))
    assert "Tracking of shipment 1 changed tracking code, tracking address" in story
    assert "T-2" not in str(list(order.events.values()))  # events can't be erased


def test_tracking_of_a_parcel_that_arrived_or_is_none_is_not_changed() -> None:
    order, other = a_paid_order({"FORK": 2}), a_paid_order({"FORK": 1})
    ordering.fulfil(order=order, tracking_code="T-1")
    client, address = packer(), page_of(order, "tracking/1")
    form = form_of(client, address) | {"tracking_code": "T-2"}
    wrong = client.post(address, form | {"tracking_url": "javascript:alert(1)"})
    ordering.deliver(order=order)

    late = client.post(address, form)

    assert (wrong.status_code, late.status_code) == (422, 422)
    assert f"Order {order.number} is delivered, so its parcels can't be followed" in text_of(late)
    assert client.post(page_of(other, "tracking/1"), form).status_code == 404
    assert (order.shipments.get().tracking_code, changes(order)) == ("T-1", [])
    assert "Change the tracking" not in text_of(client.get(page_of(order)))


def test_unpaid_order_is_not_sent() -> None:
    order = an_order({"FORK": 1})
    client, address = packer(), page_of(order, "fulfil")

    answer = client.post(address, form_of(client, address))

    assert (answer.status_code, order.shipments.count()) == (422, 0)
    assert f"Order {order.number} is waiting for payment, so nothing of it can be sent." in text_of(answer)


def test_shipped_order_is_marked_delivered_once() -> None:
    order = a_paid_order({"FORK": 1})
    client = packer()
    early = client.post(page_of(order, "deliver"))
    assert messages_of(early) == [f"Order {order.number} is paid, so it can't become delivered."]
    ordering.fulfil(order=order)

    for _ in range(2):
        client.post(page_of(order, "deliver"))

    assert (state(order), order.events.filter(kind="delivered", by="clerk").count()) == ("delivered", 1)


# Calling off


def test_cancelled_order_gives_its_stock_back_and_says_why() -> None:
    order = an_order({"FORK": 3, "KNIFE": 1})
    client, address = packer(), page_of(order, "cancel")
    assert "4 pieces go back into stock." in text_of(client.get(address))

    for _ in range(2):
        answer = client.post(address, {"reason": "Wrong size"})

    assert messages_of(answer)[-1] == f"Order {order.number} is cancelled. What it held is in stock again."
    assert (state(order), stocks(), findings()) == ("cancelled", {"FORK": 100, "KNIFE": 100}, [])
    assert "Cancelled Wrong size" in text_of(client.get(page_of(order)))


def test_order_that_cost_nothing_is_cancelled_while_nothing_is_sent() -> None:
    DiscountCode.objects.create(code="ALL", percent=100)
    order, sent = (an_order({"FORK": 3}, discount="ALL") for _ in range(2))
    ordering.fulfil(order=sent, pieces={"FORK": 1})
    client = packer()
    assert [page_of(one, "cancel") in client.get(page_of(one)).text for one in (order, sent)] == [True, False]

    for _ in range(2):
        client.post(page_of(order, "cancel"), {"reason": "Two were ordered"})
    client.post(page_of(sent, "cancel"), {"reason": ""})

    assert (state(order), state(sent), stocks()["FORK"], findings()) == ("refunded", "paid", 97, [])
    assert "Cancelled Two were ordered" in text_of(client.get(page_of(order)))
    assert "This order was cancelled" in client.get(f"/orders/{order.token}/").text


def test_paid_order_is_not_cancelled() -> None:
    order = a_paid_order({"FORK": 3})

    answer = packer().post(page_of(order, "cancel"), {"reason": ""})

    assert messages_of(answer) == [f"Order {order.number} is paid. Refund it; that ends it."]
    assert state(order) == "paid"


# Money that comes


def test_transfer_that_came_pays_the_order_once() -> None:
    order = an_order({"FORK": 1})
    a_payment(order, gateway="invoice", awaiting=True)
    client, address = packer(), page_of(order, "received")
    form = form_of(client, address) | {"reference": "BANK-7"}

    answers = [client.post(address, form) for _ in range(2)]

    assert messages_of(answers[0]) == [f"4.32 EUR came for Order {order.number}. It can be sent."]
    assert answers[1].headers["Location"] == page_of(order)
    assert (state(order), order.paid, findings()) == ("paid", Decimal("4.32"), [])
    assert (order.payments.get().provider_reference, order.events.get(kind="paid").by) == ("BANK-7", "clerk")


def test_transfer_with_a_reference_that_is_known_is_refused() -> None:
    first, second = an_order({"FORK": 1}), an_order({"FORK": 1})
    paying.mark_paid(payment=a_payment(first, gateway="invoice", awaiting=True), provider_reference="BANK-7")
    a_payment(second, gateway="invoice", awaiting=True)
    client, address = packer(), page_of(second, "received")

    answer = client.post(address, form_of(client, address) | {"reference": "BANK-7"})

    assert answer.context["form"].errors == {
        "reference": [f"The payment of order {first.number} has this reference already."]
    }
    assert state(second) == "pending"


def test_transfer_that_came_too_late_is_noted_and_owed() -> None:
    order = an_order({"FORK": 1})
    a_payment(order, gateway="invoice", awaiting=True)
    ordering.cancel(order=order)
    client, address = packer(), page_of(order, "received")
    assert "must be given back" in text_of(client.get(address))

    answer = client.post(address, form_of(client, address))

    assert messages_of(answer) == [
        f"4.32 EUR came for Order {order.number}, which did not wait for it any more. Give it back."
    ]
    assert "4.32 EUR must be given back" in text_of(client.get(page_of(order)))


def test_card_payment_under_way_is_not_taken_for_a_transfer() -> None:
    order = an_order({"FORK": 1})
    card = a_payment(order)

    answer = packer().post(page_of(order, "received"), {"payment": str(card.pk)})

    assert messages_of(answer) == [f"Order {order.number} waits for no transfer."]
    assert state(order) == "pending"


def test_payment_of_another_order_is_not_marked_as_received() -> None:
    mine, other = an_order({"FORK": 1}), an_order({"FORK": 1})
    a_payment(mine, gateway="invoice", awaiting=True)
    theirs = a_payment(other, gateway="invoice", awaiting=True)

    answer = packer().post(page_of(mine, "received"), {"payment": str(theirs.pk)})

    assert (answer.status_code, state(mine), state(other)) == (422, "pending", "pending")


# Money that goes back


def test_refund_of_all_ends_the_order_and_brings_its_pieces_back() -> None:
    order = charged({"FORK": 2, "KNIFE": 1})
    client, address = packer(), page_of(order, "refund")
    form = form_of(client, address)  # all of it, as the form suggests

    answer = client.post(address, form | {"reason": "Never left"})

    assert messages_of(answer) == [f"19.44 EUR of Order {order.number} was given back."]
    assert (state(order), stocks(), findings()) == ("refunded", {"FORK": 100, "KNIFE": 100}, [])
    refund = Refund.objects.get()
    assert (refund.amount, refund.reason, refund.by, refund.state) == (
        Decimal("19.44"),
        "Never left",
        "clerk",
        "done",
    )


def test_double_click_refunds_once() -> None:
    order = charged({"FORK": 2})
    client, address = packer(), page_of(order, "refund")
    form = form_of(client, address) | pieces(order, FORK=1) | {"amount": "4.32"}

    answers = [client.post(address, form) for _ in range(2)]

    assert [answer.headers["Location"] for answer in answers] == [page_of(order)] * 2
    assert (Refund.objects.count(), state(order), stocks()["FORK"]) == (1, "paid", 99)
    assert order.refunded == Decimal("4.32")


def test_refund_that_the_provider_refuses_is_told_and_can_be_tried_again() -> None:
    order = charged({"FORK": 2}, card="4000000000004095")
    client, address = packer(), page_of(order, "refund")

    first, second = (client.post(address, form_of(client, address)) for _ in range(2))

    assert re.match(f"8.64 EUR of Order {order.number} could not be given back: .", messages_of(first)[0])
    assert messages_of(second)[-1] == f"8.64 EUR of Order {order.number} was given back."
    assert (state(order), stocks()["FORK"], findings()) == ("refunded", 100, [])


def test_refund_of_a_transfer_says_that_people_send_it_back() -> None:
    order = an_order({"FORK": 1})
    paying.mark_paid(payment=a_payment(order, gateway="invoice", awaiting=True))
    client, address = packer(), page_of(order, "refund")
    assert "A bank transfer is sent back by hand: do that first." in text_of(client.get(address))

    client.post(address, form_of(client, address))

    assert (state(order), findings()) == ("refunded", [])


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("100", "Nothing was done. 100.00 EUR can't be given back: not so much is left of it."),
        ("0", "Ensure this value is greater than or equal to 0.01."),
        ("-5", "Ensure this value is greater than or equal to 0.01."),
        ("1.234", "Ensure that there are no more than 2 decimal places."),
        ("x", "Enter a number."),
    ],
)
def test_refund_that_can_not_be_is_refused_with_the_reason(amount: str, said: str) -> None:
    order = charged({"FORK": 2})
    client, address = packer(), page_of(order, "refund")

    answer = client.post(address, form_of(client, address) | {"amount": amount})

    assert (answer.status_code, Refund.objects.count()) == (422, 0)
    assert said in text_of(answer)


def test_refund_of_more_pieces_than_were_ordered_is_refused() -> None:
    order = charged({"FORK": 2})
    client, address = packer(), page_of(order, "refund")

    answer = client.post(address, form_of(client, address) | pieces(order, FORK=3))

    assert (answer.status_code, Refund.objects.count()) == (422, 0)
    assert "Of FORK, 2 can come back at most." in text_of(answer)


def test_refund_of_a_payment_of_another_order_is_refused() -> None:
    mine, other = charged({"FORK": 1}), charged({"FORK": 1})
    client, address = packer(), page_of(mine, "refund")

    answer = client.post(address, form_of(client, address) | {"payment": str(other.payments.get().pk)})

    assert (answer.status_code, Refund.objects.count()) == (422, 0)


# Many at once


def test_action_sends_what_is_left_of_each_order_and_names_those_it_could_not() -> None:
    paid, part, pending = a_paid_order({"FORK": 1}), a_paid_order({"KNIFE": 3}), an_order({"FORK": 1})
    ordering.fulfil(order=part, pieces={"KNIFE": 1})

    answer = run(packer(), "send_rest", paid, part, pending)

    assert messages_of(answer) == [
        "2 orders were sent.",
        f"Order {pending.number} is waiting for payment, so nothing of it can be sent.",
    ]
    assert [state(one) for one in (paid, part, pending)] == ["fulfilled", "fulfilled", "pending"]


def test_action_marks_orders_delivered() -> None:
    sent, paid = a_paid_order({"FORK": 1}), a_paid_order({"FORK": 1})
    ordering.fulfil(order=sent)

    answer = run(packer(), "mark_delivered", sent, paid)

    assert messages_of(answer) == [
        f"Order {sent.number} was marked delivered.",
        f"Order {paid.number} is paid, so it can't become delivered.",
    ]


def test_action_for_very_many_orders_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shop.order_admin.MOST_AT_ONCE", 1)
    orders = [a_paid_order({"FORK": 1}) for _ in range(2)]

    assert messages_of(run(packer(), "send_rest", *orders)) == ["Nothing was done: choose 1 orders at most."]
    assert [state(one) for one in orders] == ["paid", "paid"]
