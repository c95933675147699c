"""What customers are told of their orders: written with the event, once, to the order's address."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone, translation

from notifications import messages, order_mails
from notifications.messages import Rendered
from notifications.models import Message
from shop import charging, ordering, paying, personal_data, settling
from shop.models import Order, Payment
from tasks.models import Job
from tests.notifications.conftest import Provider, attempt
from tests.shop.factories import a_product
from tests.shop.orders import a_paid_order, a_payment, an_order, refund

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def goods(db: None, settings: Any) -> None:
    settings.SITE_URL = "https://shop.example"
    settings.STORE_CURRENCY, settings.PRICES_INCLUDE_TAX, settings.TAX_PERCENT = "EUR", True, Decimal(25)
    settings.INVOICE_MAIL = "none"  # tests/notifications/test_invoice_mails.py has these
    a_product(sku="KNIFE", name="Knife <Ω> & board", price=20, stock=9, options={"Size": "S"})
    a_product(sku="FORK", name="Fork", price="5.50", stock=9)


def mails(order: Order) -> list[Message]:
    return list(Message.objects.filter(about=order.subject).order_by("pk"))


def kinds(order: Order) -> list[str]:
    return [mail.kind for mail in mails(order)]


def last(order: Order) -> Message:
    return mails(order)[-1]


def test_order_that_is_placed_writes_a_mail_and_its_delivery() -> None:
    order = an_order({"KNIFE": 2})

    (mail,) = mails(order)
    assert (mail.kind, mail.event, mail.recipient, mail.state) == (
        "order_placed",
        f"order/{order.number}/placed",
        "kim@example.com",
        "queued",
    )
    assert (mail.is_on_its_way, Job.objects.filter(kind="notifications.deliver").count()) == (True, 1)


def test_mail_of_an_order_reads_well_by_itself() -> None:
    order = an_order({"KNIFE": 2, "FORK": 1})

    day = order.placed_at.strftime("%B %-d, %Y")
    assert last(order).text == (
        "Thank you, we have your order\n\n"
        "We get it ready as soon as it is paid, and write to you. If you have not paid yet, you can do so on"
        " your order's page.\n\n"
        f"See your order:\nhttps://shop.example/orders/{order.token}/\n\n"
        "What you ordered:\n"
        "1 × Fork: €5.50\n"
        "2 × Knife <Ω> & board (Size: S): €40.00\n\n"
        "Subtotal: €45.50\n"
        "Delivery, Post: free\n"
        "Total: €45.50\n"
        "Tax in it: €9.10\n\n"
        "Goes to:\nKim Doe\nMain Street 1\n3000 Bern\nSwitzerland\n\n"
        f"-- \nTallyman, https://shop.example\nYou receive this because of your order of {day} at Tallyman.\n"
    )


def test_html_of_an_order_has_the_same_and_nothing_to_fetch() -> None:
    order = an_order({"KNIFE": 2})

    html = last(order).html

    assert "2 × Knife &lt;Ω&gt; &amp; board" in html
    assert f'href="https://shop.example/orders/{order.token}/"' in html
    assert ('lang="en"' in html, 'dir="ltr"' in html) == (True, True)
    assert ("src=" in html, "<link" in html, "url(" in html) == (False,) * 3
    assert len(html.encode()) < 100_000


def test_every_step_of_an_order_is_told_once() -> None:
    order = a_paid_order({"KNIFE": 2})
    ordering.fulfil(order=order, pieces={"KNIFE": 1})
    ordering.fulfil(order=order, pieces={"KNIFE": 1})
    ordering.deliver(order=order)
    ordering.deliver(order=order)

    assert [(mail.kind, mail.subject) for mail in mails(order)] == [
        ("order_placed", f"We have your order {order.number}"),
        ("order_paid", f"Order {order.number} is paid"),
        ("order_shipped", f"Part of order {order.number} is on its way"),
        ("order_shipped", f"The rest of order {order.number} is on its way"),
        ("order_delivered", f"Order {order.number} was delivered"),
    ]


def test_cancelled_and_expired_orders_are_told() -> None:
    cancelled, expired = an_order({"KNIFE": 1}), an_order({"KNIFE": 1})
    ordering.cancel(order=cancelled)
    Order.objects.filter(pk=expired.pk).update(expires_at=timezone.now())
    ordering.expire_unpaid()

    assert kinds(cancelled) == ["order_placed", "order_cancelled"]
    assert kinds(expired) == ["order_placed", "order_expired"]
    assert ["Goes to" in mail.text for mail in mails(expired)] == [True, False]


def test_order_that_costs_nothing_has_one_mail_that_says_so() -> None:
    a_product(sku="GIFT", price=0, stock=1)

    order = an_order({"GIFT": 1})

    assert (order.state, kinds(order)) == ("paid", ["order_placed"])
    assert last(order).text.split("\n\n")[1] == (
        "There is nothing to pay. We get it ready and write to you when it is sent."
    )


def test_refunds_are_told_one_by_one_with_what_is_left() -> None:
    order = a_paid_order({"KNIFE": 2})
    refund(order, "12.50")
    first = last(order)
    refund(order, "27.50")

    assert (first.subject, first.text.split("\n\n")[1]) == (
        f"Order {order.number}: €12.50 given back",
        "Of the €40.00 that you paid, €12.50 have been given back so far. With some banks it takes a few days"
        " until you see it.",
    )
    assert last(order).text.split("\n\n")[1].startswith("You get all of your money back. ")
    assert kinds(order).count("order_refunded") == 2


def test_money_that_came_too_late_and_goes_back_is_told() -> None:
    order = an_order({"KNIFE": 1})
    payment = a_payment(order, gateway="invoice", awaiting=True)
    ordering.cancel(order=order)
    paying.mark_paid(payment=payment)
    refund(order, "20")

    assert kinds(order) == ["order_placed", "order_cancelled", "order_refunded"]
    assert last(order).text.split("\n\n")[1].startswith("Your payment came when the order was over,")


def test_parcel_is_told_with_its_pieces_and_where_it_is() -> None:
    order = a_paid_order({"KNIFE": 2, "FORK": 1})

    ordering.fulfil(
        order=order,
        pieces={"KNIFE": 2},
        carrier="Post",
        tracking_code="PP 4711",
        tracking_url="https://p.example/1",
    )

    assert last(order).text.split("\n\n")[1:4] == [
        "We send the rest as soon as we can.",
        "In this parcel:\n2 × Knife <Ω> & board (Size: S)",
        "Sent with Post.\nTracking code: PP 4711\nFollow the parcel:\nhttps://p.example/1",
    ]
    assert '<a href="https://p.example/1"' in last(order).html


def test_tracking_address_that_is_none_of_the_web_is_no_link() -> None:
    order = a_paid_order({"KNIFE": 1})

    ordering.fulfil(order=order, tracking_code="PP 4711", tracking_url="javascript:alert(1)")

    assert ("javascript" in last(order).html, "Tracking code: PP 4711" in last(order).html) == (False, True)


def test_payment_that_is_declined_later_is_told() -> None:
    order = an_order({"KNIFE": 1})

    paying.payment_failed(payment=a_payment(order), error="Declined")
    paying.payment_failed(payment=order.payments.get(), error="Declined")

    assert kinds(order) == ["order_placed", "order_payment_failed"]
    assert last(order).event == f"order/{order.number}/payment_failed/{order.payments.get().pk}"
    assert "Pay €20.00" in last(order).html


def test_payment_that_the_reconciler_finds_lost_is_told(settings: Any) -> None:
    settings.PAYMENT_PATIENCE_SECONDS = 0
    order = an_order({"KNIFE": 1})
    a_payment(order)  # and the process died before it asked the provider

    settling.settle()

    assert order.payments.get().state == "failed"
    assert kinds(order) == ["order_placed", "order_payment_failed"]


def test_payment_that_is_declined_at_the_checkout_is_not_mailed() -> None:
    order = an_order({"KNIFE": 1})

    outcome = charging.pay(
        order=order, method="test-card", key="card", details={"card_number": "4000 0000 0000 9995"}
    )

    assert (outcome.result, kinds(order)) == ("declined", ["order_placed"])


@pytest.mark.parametrize("over", ["time is up", "cancelled"])
def test_failed_payment_of_an_order_that_is_over_is_not_told(over: str) -> None:
    order = an_order({"KNIFE": 1})
    payment = a_payment(order)
    if over == "cancelled":
        Payment.objects.filter(pk=payment.pk).update(state="awaiting")
        ordering.cancel(order=order)
        Payment.objects.filter(pk=payment.pk).update(state="started")
    else:
        Order.objects.filter(pk=order.pk).update(expires_at=timezone.now())

    paying.payment_failed(payment=payment, error="Declined")

    assert "order_payment_failed" not in kinds(order)


def test_step_that_is_rolled_back_writes_nothing() -> None:
    order = a_paid_order({"KNIFE": 1})
    before = kinds(order)

    with transaction.atomic():
        ordering.fulfil(order=order)
        transaction.set_rollback(True)

    assert kinds(order) == before


def test_order_whose_customer_is_erased_gets_no_mail() -> None:
    order = a_paid_order({"KNIFE": 1})
    Order.objects.filter(pk=order.pk).update(email="", erased_at=timezone.now())
    before = kinds(order)

    refund(order, "5")

    assert kinds(order) == before


@pytest.mark.parametrize(("language", "expected"), [("de-ch", "de"), ("de", "de"), ("sv", "en"), ("", "en")])
def test_mail_is_in_the_language_of_the_order_as_far_as_there_is_one(
    language: str, expected: str, settings: Any
) -> None:
    settings.MAIL_LANGUAGES = ["en", "de"]

    with translation.override("fr"):  # whoever's request this is
        order = an_order({"KNIFE": 1}, language=language)

    assert f'lang="{expected}"' in last(order).html
    assert ("20,00\xa0€" in last(order).text) == (expected == "de")


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Languages whose templates are broken."""
    languages: set[str] = set()
    render = messages.render

    def rendered(kind: str, context: dict[str, Any], *, language: str = "") -> Rendered:
        if language in languages:
            raise ZeroDivisionError
        return render(kind, context, language=language)

    monkeypatch.setattr(messages, "render", rendered)
    return languages


def test_language_whose_templates_are_broken_gives_way_to_the_shops(broken: set[str], settings: Any) -> None:
    settings.MAIL_LANGUAGES = ["en", "de"]
    broken.add("de")

    assert last(an_order({"KNIFE": 1}, language="de")).html.count('lang="en"') == 1


def test_order_is_placed_though_its_templates_are_broken(broken: set[str]) -> None:
    broken.add("en")

    order = an_order({"KNIFE": 1})

    subject = f"Order {order.number}: we have your order"
    assert (last(order).subject, last(order).html) == (subject, "")
    assert last(order).text == f"{subject}\n\nhttps://shop.example/orders/{order.token}/\n"


def test_every_kind_has_its_three_templates_and_words() -> None:
    order = a_paid_order({"KNIFE": 1})
    more = {"payment": order.payments.get(), "refund": a_refund(order), "parcel": None, "pieces": []}
    more["document"] = order.documents.get()

    subjects = {kind: order_mails.content(kind, order, more).subject for kind in order_mails.KINDS}

    assert len(set(subjects.values())) == len(order_mails.KINDS)
    assert all(str(order.number) in subject for subject in subjects.values())
    assert all(order_mails.content(kind, order, more).html for kind in order_mails.KINDS)


def a_refund(order: Order) -> Any:
    return paying.reserve_refund(payment=order.payments.get(), amount=Decimal(1), key="one")


def test_mail_that_waits_is_held_back_when_its_recipient_is_erased(provider: Provider) -> None:
    order = a_paid_order({"KNIFE": 1}, email="Work@example.com")
    refund(order, order.total)
    sent, waiting = mails(order)[0], mails(order)[1]
    attempt(sent)
    Message.objects.filter(pk=waiting.pk).update(error="450 work@example.com: unknown")
    person = personal_data.of_address("work@example.com")
    assert person is not None

    personal_data.erase(person)
    attempt(waiting)

    sent.refresh_from_db()
    assert (sent.state, waiting.state, len(provider.mails)) == ("sent", "suppressed", 1)
    assert waiting.error == "Its recipient's data was erased before it went out."
    assert not waiting.is_on_its_way
    left = [str(row) for table in (Message, Job) for row in table.objects.values()]
    assert [row for row in left if "work@" in row.lower() or "Kim" in row or order.token in row] == []


def test_mails_about_orders_with_another_address_than_the_accounts_are_erased(django_user_model: Any) -> None:
    user = django_user_model.objects.create_user("kim", email="kim@home.example")
    order = a_paid_order({"KNIFE": 1}, email="kim@work.example")
    Order.objects.filter(pk=order.pk).update(customer=user)
    refund(order, order.total)

    figures = personal_data.erase(personal_data.of_customer(user))

    assert figures["mails"] == 3
    assert {mail.text for mail in mails(order)} == {""}


def test_copy_of_what_is_held_has_no_link_to_the_order() -> None:
    order = an_order({"KNIFE": 1})
    person = personal_data.of_address("kim@example.com")
    assert person is not None

    (mail,) = personal_data.export(person)["mails"]

    assert (order.token in mail["text"], "See your order:\n(link)\n" in mail["text"]) == (False, True)
