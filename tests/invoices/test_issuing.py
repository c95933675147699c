"""When invoices and credit notes are issued, with which numbers, and that they add up to what happened."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from invoices import content
from invoices.correcting import Part, TaxLine
from invoices.models import Counter, Document
from shop import ordering, paying, personal_data
from shop.models import DeliveryMethod, DiscountCode, Order, Payment
from tasks.models import Job
from tests.shop.factories import a_product
from tests.shop.orders import a_paid_order, a_payment, an_order, findings, refund

pytestmark = pytest.mark.django_db(transaction=True)
_keys = count(1)


def documents(order: Order) -> list[tuple[str, str, str, str]]:
    """Kind, number, tax and total of each, in order."""
    found = Document.objects.filter(order=order).order_by("pk")
    return [(one.kind, one.name, str(one.tax), str(one.total)) for one in found]


def awaiting(order: Order) -> Payment:
    return a_payment(order, gateway="invoice", awaiting=True)


def expire(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(expires_at=timezone.now())
    ordering.expire_unpaid()


def test_order_that_is_paid_gets_its_invoice_and_the_job_for_its_pdf() -> None:
    order = a_paid_order({"KNIFE": 2})

    (invoice,) = Document.objects.all()
    assert documents(order) == [("invoice", "INV-00001", "6.38", "39.98")]
    assert Job.objects.get(kind="invoices.render").subject == invoice.subject
    assert order.paid_at is not None
    assert invoice.content["payment"] == {"method": "Test card", "paid": content.day_of(order.paid_at)}
    assert findings() == []


def test_order_waiting_for_a_transfer_gets_its_invoice_once_however_it_is_paid() -> None:
    order = an_order({"KNIFE": 1})
    assert documents(order) == []

    awaiting(order)
    paying.mark_paid(payment=a_payment(order))

    assert [one[:2] for one in documents(order)] == [("invoice", "INV-00001")]
    assert Document.objects.get().content["payment"]["account"] == "DE02 1203 0000 0000 2020 51"
    assert findings() == []


def test_order_that_costs_nothing_has_no_invoice() -> None:
    a_product(sku="GIFT", price=0, stock=1)

    order = an_order({"GIFT": 1})
    ordering.cancel(order=order)

    assert (documents(order), findings()) == ([], [])


@pytest.mark.parametrize(
    "end", [lambda order: ordering.cancel(order=order), expire], ids=["cancelled", "expired"]
)
def test_invoice_of_an_order_that_ends_unpaid_is_taken_back(end: Any) -> None:
    order = an_order({"KNIFE": 1})
    payment = awaiting(order)
    end(order)
    end(order)

    both = [("invoice", "INV-00001", "3.19", "19.99"), ("credit_note", "CN-00001", "3.19", "19.99")]
    assert documents(order) == both
    # The transfer comes after all, and goes back: that money was never owed.
    paying.mark_paid(payment=payment)
    refund(order, "19.99")
    assert (documents(order), findings()) == (both, [])


def test_order_that_ends_without_an_invoice_gets_no_credit_note() -> None:
    order = an_order({"KNIFE": 1})
    payment = a_payment(order)
    paying.payment_failed(payment=payment, error="no answer")
    ordering.cancel(order=order)
    paying.mark_paid(payment=payment)
    refund(order, "19.99")

    assert (documents(order), findings()) == ([], [])


def test_refunds_are_credited_one_by_one_and_come_to_the_invoice_in_the_end() -> None:
    order = a_paid_order({"KNIFE": 2, "FORK": 1})  # 45.53, of which 7.27 are tax
    for amount in ("0.01", "10.00", "35.52"):
        refund(order, amount)

    assert documents(order) == [
        ("invoice", "INV-00001", "7.27", "45.53"),
        ("credit_note", "CN-00001", "0.00", "0.01"),
        ("credit_note", "CN-00002", "1.60", "10.00"),
        ("credit_note", "CN-00003", "5.67", "35.52"),
    ]
    assert findings() == []


def test_money_that_came_twice_and_goes_back_is_not_credited() -> None:
    order = an_order({"KNIFE": 1})
    late = a_payment(order)
    paying.payment_failed(payment=late, error="no answer")
    paying.mark_paid(payment=a_payment(order))
    paying.mark_paid(payment=late)
    again = paying.reserve_refund(payment=late, amount=Decimal("19.99"), key="twice")
    paying.refund_recorded(refund=again)

    assert [one[0] for one in documents(order)] == ["invoice"]
    assert findings() == []


def test_pieces_that_came_back_are_on_the_credit_note() -> None:
    order = a_paid_order({"KNIFE": 2})
    refund(order, "19.99", restock={"KNIFE": 1}, reason="Nobody prints this")

    note = Document.objects.get(kind="credit_note")
    assert note.content["lines"] == [
        {"sku": "KNIFE", "name": "Bread knife", "options": {"Size": "L"}, "quantity": 1}
    ]
    assert "Nobody" not in str(note.content)


cents = st.integers(1, 10**7).map(lambda amount: Decimal(amount) / 100)


@given(
    lines=st.lists(
        st.builds(lambda percent, total: (percent, total), st.integers(0, 100), cents),
        min_size=1,
        max_size=3,
        unique_by=lambda line: line[0],
    ),
    parts=st.lists(st.decimals("0.01", 1, places=2), max_size=6),
)
def test_parts_of_an_invoice_are_possible_and_add_up_to_it(
    lines: list[tuple[int, Decimal]], parts: list[Decimal]
) -> None:
    whole = left = Part(
        tuple(
            TaxLine(Decimal(percent), (total * percent / (100 + percent)).quantize(Decimal("0.01")), total)
            for percent, total in lines
        )
    )
    taken = []
    for share in [*parts, Decimal(1)]:
        amount = (left.total * share).quantize(Decimal("0.01"))
        part = left.share(amount)
        assert part.total == amount
        assert all(0 <= line.tax <= line.total for line in part.lines)
        by_rate = {line.percent: line for line in part.lines}
        nothing = TaxLine(Decimal(0), Decimal(0), Decimal(0))
        rest = [
            TaxLine(line.percent, line.tax - got.tax, line.total - got.total)
            for line in left.lines
            for got in [by_rate.get(line.percent, nothing)]
        ]
        assert all(0 <= line.tax <= line.total for line in rest)
        left = Part(tuple(line for line in rest if line.total))
        taken.append(part)

    assert (sum(part.tax for part in taken), sum(part.total for part in taken)) == (whole.tax, whole.total)


def test_invoice_says_what_was_true_when_it_was_issued(settings: Any) -> None:
    settings.TIME_ZONE = "Pacific/Kiritimati"  # 14 hours ahead of UTC
    DeliveryMethod.objects.create(code="post", name="Post", fee="4.90")
    DiscountCode.objects.create(code="TEN", percent=10)
    order = a_paid_order({"KNIFE": 1, "FORK": 2}, discount="TEN")
    settings.SELLER_NAME = "Another"
    Order.objects.filter(pk=order.pk).update(billing_address={})

    said = Document.objects.get().content

    assert (said["seller"]["name"], said["to"]) == (
        "Example Goods Ltd.",
        ["Kim Doe", "Main Street 1", "3000 Bern", "Switzerland"],
    )
    assert [(line["sku"], line["subtotal"], line["total"]) for line in said["lines"]] == [
        ("FORK", "11.10", "9.99"),
        ("KNIFE", "19.99", "17.99"),
    ]
    assert said["taxes"] == [{"percent": "19", "net": "27.63", "tax": "5.25", "total": "32.88"}]
    assert (said["discount"], said["delivery"]) == (
        {"code": "TEN", "amount": "3.11"},
        {"name": "Post", "amount": "4.90"},
    )
    issued = Document.objects.get().issued_at
    assert said["date"] == content.day_of(issued)
    assert content.day_of(datetime(2026, 12, 31, 12, tzinfo=UTC)) == "2027-01-01"


def test_document_is_never_changed_or_deleted() -> None:
    a_paid_order({"KNIFE": 1})
    invoice = Document.objects.get()

    for change in (
        lambda: Document.objects.update(content={}),
        lambda: Document.objects.update(number=7),
        lambda: Document.objects.all()._raw_delete("default"),
    ):
        with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
            change()
    Document.objects.update(file="somewhere.pdf")

    assert Document.objects.get().content == invoice.content


def test_fifty_at_once_get_fifty_numbers_though_some_roll_back() -> None:
    orders = [an_order({"KNIFE": 1}) for _ in range(50)]
    payments = [a_payment(order) for order in orders]

    def pay(at: int) -> None:
        try:
            with transaction.atomic():
                paying.mark_paid(payment=payments[at], provider_reference=f"charge-{at}")
                if at % 5 == 0:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            pass
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as threads:
        list(threads.map(pay, range(50)))

    numbers = Document.objects.order_by("number").values_list("number", flat=True)
    assert list(numbers) == list(range(1, 41))
    assert list(Document.objects.order_by("issued_at").values_list("number", flat=True)) == list(numbers)
    assert Counter.objects.get(kind="invoice").last == 40
    assert findings() == []


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("UPDATE invoices_counter SET last = 7 WHERE kind = 'invoice'",
         "invoices: the counter is at 7; there are 1, numbered from 1 to 1."),
        ("UPDATE invoices_document SET number = 7 WHERE kind = 'invoice'",
         "invoices: the counter is at 1; there are 1, numbered from 7 to 7."),
        ("DELETE FROM invoices_document; DELETE FROM invoices_counter",
         "Order {} is paid and has no invoice."),
        ("UPDATE invoices_document SET net = net - 1, tax = tax + 1 WHERE kind = 'invoice'",
         "Order {}: its invoice INV-00001 says 15.80 net and 4.19 tax; the order says 16.80 and 3.19."),
        ("UPDATE invoices_document SET content = content || '{{\"taxes\": []}}' WHERE kind = 'invoice'",
         "INV-00001: its tax rates come to 0 net and 0 tax; it says 16.80 and 3.19."),
        ("DELETE FROM invoices_document WHERE kind = 'credit_note'",
         "Order {}: its credit notes come to 0 with 0 tax; 5.00 was to be credited of its invoice"
         " INV-00001."),
    ],
    ids=["counter", "number", "no invoice", "amounts", "rates", "credit notes"],
)  # fmt: skip
def test_reconcile_finds_what_is_off(sql: str, sentence: str) -> None:
    order = a_paid_order({"KNIFE": 1})
    refund(order, "5.00")
    assert findings() == []

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE invoices_document DISABLE TRIGGER USER")
        cursor.execute(sql.format())
        cursor.execute("ALTER TABLE invoices_document ENABLE TRIGGER USER")

    assert sentence.format(order.number) in findings()


def test_customers_data_has_the_invoices_and_erasing_keeps_them() -> None:
    order = a_paid_order({"KNIFE": 1})
    refund(order, "19.99")
    kim = personal_data.of_address("kim@example.com")
    assert kim is not None

    held = personal_data.export(kim)["invoices"]
    personal_data.erase(kim)

    assert [(one["number"], one["to"][0]) for one in held] == [
        ("INV-00001", "Kim Doe"),
        ("CN-00001", "Kim Doe"),
    ]
    assert [one.content["to"][0] for one in Document.objects.all()] == ["Kim Doe", "Kim Doe"]
