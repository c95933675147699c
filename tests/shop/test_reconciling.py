"""What `reconcile` finds: each kind of thing that is off, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from shop import ordering
from shop.models import DiscountCode, Order, Refund, Shipment
from tests.shop.factories import a_product
from tests.shop.orders import a_paid_order, an_order, findings, refund

pytestmark = pytest.mark.django_db


def an_order_in_order() -> Order:
    """One that is paid, with a discount: 3 pieces of A, 29.16 in all."""
    a_product(sku="A", stock=5, price="10.00")
    DiscountCode.objects.create(code="TEN", percent=10)
    return a_paid_order({"A": 3}, discount="TEN")


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        (
            "SET LOCAL tallyman.stock_kind = 'written'; UPDATE shop_product SET stock = 9",
            "A: the stock is 9, its ledger comes to 2.",
        ),
        (
            "UPDATE shop_order SET tax = tax + 1, total = total + 1, paid = paid + 1; "
            "UPDATE shop_payment SET amount = amount + 1; "
            "UPDATE shop_checkoutkey SET answer = jsonb_set(answer, '{total}', '\"30.16\"')",
            "Order {}: its lines and delivery come to 27.00 net and 2.16 tax; the order says 27.00 and 3.16.",
        ),
        (
            "UPDATE shop_order SET paid = paid + 1",
            "Order {}: its payments come to 29.16 and its refunds to 0; the order says 30.16 and 0.00.",
        ),
        (
            "UPDATE shop_payment SET refund_reserved = 2",
            "Payment {payment} of order {}: refunds take 0 of it, it has set aside 2.00.",
        ),
        (
            "UPDATE shop_orderline SET restocked = 1",
            "Order {}: 3 pieces of A left the stock for it, its lines say 2.",
        ),
        (
            "DELETE FROM shop_checkoutkey; DELETE FROM shop_orderline",
            "Order {}: 3 pieces of A left the stock for it, its lines say 0.",
        ),
        (
            "INSERT INTO shop_orderevent (order_id, kind, state, details, by, at) "
            "SELECT id, 'shipped', 'fulfilled', '{{}}', '', now() FROM shop_order",
            "Order {} is paid; its history has it fulfilled after 3 event(s), 1 of them placed, 1 paid.",
        ),
        (
            "UPDATE shop_checkoutkey SET answer = jsonb_set(answer, '{{number}}', '7')",
            "Order {}: the key of its checkout answers with order 7 and 29.16.",
        ),
        (
            "UPDATE shop_orderline SET shipped = 1",
            "Order {}: 0 pieces of A are in its shipments, its line says 1.",
        ),
        ("UPDATE shop_discountcode SET used = 5", "Discount code TEN: 1 orders have it, it counts 5."),
        (
            "UPDATE shop_discountuse SET returned_at = now(); UPDATE shop_discountcode SET used = 0",
            "Order {} is paid, and its use of the discount code TEN was given back.",
        ),
    ],
    ids=[
        "stock", "lines", "payments", "refunds", "pieces", "no lines", "events", "keys", "shipments", "codes",
        "uses",
    ],
)  # fmt: skip
def test_what_is_off_is_told(sql: str, sentence: str) -> None:
    order = an_order_in_order()
    assert findings() == []

    with connection.cursor() as cursor:
        cursor.execute(sql.replace("{{", "{").replace("}}", "}"))

    assert sentence.format(order.number, payment=order.payments.get().pk) in findings()


def test_cancelled_order_that_holds_stock_is_told() -> None:
    a_product(sku="A", stock=5)
    order = an_order({"A": 3})
    ordering.cancel(order=order)
    order.lines.update(restocked=1)

    assert findings() == [
        f"Order {order.number}: 0 pieces of A left the stock for it, its lines say 2.",
        f"Order {order.number} is cancelled and still holds 2 pieces of A.",
    ]


def test_pieces_sent_while_a_refund_brought_them_back_are_told_and_returned_ones_are_not() -> None:
    a_product(sku="A", stock=5)
    order = a_paid_order({"A": 3})
    ordering.fulfil(order=order)
    hour = timedelta(hours=1)
    Shipment.objects.update(shipped_at=timezone.now() - hour)
    refund(order, "1.00", restock={"A": 2})
    returned = findings()

    Refund.objects.update(created_at=timezone.now() - 2 * hour)

    assert (returned, findings()) == (
        [],
        [f"Order {order.number}: 2 pieces of A were sent while a refund was to put them back into stock."],
    )


def test_command_says_so_when_all_adds_up_and_ends_with_1_when_it_does_not() -> None:
    order = an_order_in_order()
    out, errors = StringIO(), StringIO()
    call_command("reconcile", stdout=out)
    Order.objects.update(paid=99)

    with pytest.raises(SystemExit) as ended:
        call_command("reconcile", stdout=out, stderr=errors)

    assert ended.value.code == 1
    assert out.getvalue().splitlines() == [
        "Stock, orders, payments, invoices, events, shipments and discount codes add up.",
        f"Order {order.number}: its payments come to 29.16 and its refunds to 0;"
        " the order says 99.00 and 0.00.",
    ]
    assert errors.getvalue() == "1 thing is off.\n"
