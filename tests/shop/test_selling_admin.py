"""Delivery methods, tax rates and discount codes, as staff keep them."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from shop import ordering
from shop.models import DeliveryMethod, DiscountCode, TaxRate
from tests.shop.factories import a_product
from tests.shop.orders import an_order, findings
from tests.shop.staffing import messages_of

pytestmark = pytest.mark.django_db

DELIVERY = "/admin/shop/deliverymethod/"
TAX = "/admin/shop/taxrate/"
CODES = "/admin/shop/discountcode/"
A_METHOD = {"name": "Post", "code": "post", "fee": "5", "free_from": "", "countries": "", "position": "0"}
A_CODE = {"code": "SPRING", "percent": "10", "amount": "", "minimum": "0", "limit": "", "active": "on"}


def errors(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 200
    return dict(response.context["adminform"].form.errors)


def add(client: Client, page: str, form: dict[str, str], **changes: str) -> Any:
    return client.post(f"{page}add/", form | changes)


def cells(page: str, column: str) -> list[str]:
    found = re.findall(rf"<t[dh][^>]*field-{column}\b[^>]*>(.*?)</t[dh]>", page, re.S)
    return [" ".join(re.sub("<[^>]*>", " ", cell).split()) for cell in found]


# Delivery


def test_delivery_method_is_added_with_its_countries_in_order(admin_client: Client) -> None:
    add(admin_client, DELIVERY, A_METHOD, countries="de, AT ,ch,DE", free_from="50")

    method = DeliveryMethod.objects.get()
    assert (method.countries, method.fee, method.free_from) == (["DE", "AT", "CH"], Decimal(5), Decimal(50))
    page = admin_client.get(DELIVERY).text
    assert [cells(page, name) for name in ("named", "costs", "goes_to")] == [
        ["Post post"],
        ["€5.00 free from €50.00"],
        ["DE, AT, CH"],
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"fee": "-1"}, {"fee": ["The fee can't be negative; 0 is free."]}),
        ({"free_from": "-1"}, {"free_from": ["The amount can't be negative; leave it blank."]}),
        (
            {"countries": "DE, Germany"},
            {"countries": ["“Germany” is no country code. Write two letters, such as DE."]},
        ),
        ({"countries": "D1"}, {"countries": ["“D1” is no country code. Write two letters, such as DE."]}),
        ({"code": "taken"}, {"code": ["Another delivery method has the code “taken”."]}),
    ],
)
def test_delivery_form_names_the_field_and_the_fault(
    admin_client: Client, change: dict[str, str], said: dict[str, list[str]]
) -> None:
    DeliveryMethod.objects.create(code="taken", name="Taken")

    assert errors(add(admin_client, DELIVERY, A_METHOD, **change)) == said
    assert DeliveryMethod.objects.count() == 1


# Tax


def test_tax_rate_is_added_with_its_country_in_capitals(admin_client: Client) -> None:
    add(admin_client, TAX, {"country": "ca", "region": "Quebec", "percent": "14.975"})

    assert str(TaxRate.objects.get()) == "CA, Quebec: 14.975 %"


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (
            {"country": "D", "percent": "8"},
            {"country": ["“D” is no country code. Write two letters, such as DE."]},
        ),
        ({"country": "DE", "percent": "101"}, {"percent": ["A tax rate is from 0 to 100 percent."]}),
        ({"country": "DE", "percent": "-1"}, {"percent": ["A tax rate is from 0 to 100 percent."]}),
        (
            {"country": "ca", "region": "quebec", "percent": "1"},
            {"country": ["There is a rate already: CA, Quebec: 15 %. Change that one."]},
        ),
    ],
)
def test_tax_form_names_the_field_and_the_fault(
    admin_client: Client, form: dict[str, str], said: dict[str, list[str]]
) -> None:
    TaxRate.objects.create(country="CA", region="Quebec", percent=15)

    assert errors(add(admin_client, TAX, {"region": "", **form})) == said
    assert TaxRate.objects.count() == 1


# Discount codes


def test_discount_code_is_added_in_capitals(admin_client: Client) -> None:
    add(admin_client, CODES, A_CODE, code=" spring 26 ", limit="10")

    code = DiscountCode.objects.get()
    assert (code.code, code.percent, code.amount, code.limit) == ("SPRING26", Decimal(10), None, 10)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"amount": "5"},
            {"percent": ["Give either a percentage or an amount, one of the two."]},
        ),
        (
            {"percent": ""},
            {"percent": ["Give either a percentage or an amount, one of the two."]},
        ),
        ({"percent": "101"}, {"percent": ["A percentage is above 0 and at most 100."]}),
        ({"percent": "0"}, {"percent": ["A percentage is above 0 and at most 100."]}),
        ({"percent": "", "amount": "-1"}, {"amount": ["The amount must be above 0."]}),
        ({"minimum": "-1"}, {"minimum": ["The minimum can't be negative; 0 is none."]}),
        ({"code": "taken"}, {"code": ["There is a code TAKEN already."]}),
        (
            {
                "starts_at_0": "2026-03-02",
                "starts_at_1": "00:00",
                "ends_at_0": "2026-03-01",
                "ends_at_1": "00:00",
            },
            {"ends_at": ["It would end before it begins."]},
        ),
    ],
)
def test_discount_form_names_the_field_and_the_fault(
    admin_client: Client, change: dict[str, str], said: dict[str, list[str]]
) -> None:
    DiscountCode.objects.create(code="TAKEN", percent=5)

    assert errors(add(admin_client, CODES, A_CODE, **change)) == said
    assert DiscountCode.objects.count() == 1


def used_code() -> DiscountCode:
    """One that two orders have."""
    a_product(sku="A", stock=100)
    code = DiscountCode.objects.create(code="SPRING", percent=10, limit=5)
    for _ in range(2):
        an_order({"A": 1}, discount="SPRING")
    code.refresh_from_db()
    return code


def test_limit_below_what_was_used_is_refused(admin_client: Client) -> None:
    code = used_code()

    answer = admin_client.post(f"{CODES}{code.pk}/change/", A_CODE | {"limit": "1"})

    assert errors(answer) == {"limit": ["2 orders have it already, so the limit can't be lower."]}


def test_code_that_is_saved_keeps_what_orders_took_meanwhile(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = used_code()
    from shop.selling_admin import DiscountCodeAdmin

    save = DiscountCodeAdmin.save_model

    def save_late(self: Any, request: Any, obj: Any, form: Any, change: bool) -> None:
        an_order({"A": 1}, discount="SPRING")  # between the form's look and its writing
        save(self, request, obj, form, change)

    monkeypatch.setattr(DiscountCodeAdmin, "save_model", save_late)
    admin_client.post(f"{CODES}{code.pk}/change/", A_CODE | {"limit": "9"})

    code.refresh_from_db()
    assert (code.used, code.limit, findings()) == (3, 9, [])


def test_code_that_orders_have_is_neither_renamed_nor_deleted(admin_client: Client) -> None:
    code = used_code()
    admin_client.post(f"{CODES}{code.pk}/change/", A_CODE | {"code": "OTHER", "limit": "7"})
    deleted = admin_client.post(f"{CODES}{code.pk}/delete/", {"post": "yes"})

    code.refresh_from_db()
    assert (code.code, code.limit, deleted.status_code) == ("SPRING", 7, 403)


def test_code_that_a_cancelled_order_had_is_not_deleted(admin_client: Client) -> None:
    a_product(sku="A", stock=100)
    code = DiscountCode.objects.create(code="SPRING", percent=10)
    ordering.cancel(order=an_order({"A": 1}, discount="SPRING"))

    assert admin_client.post(f"{CODES}{code.pk}/delete/", {"post": "yes"}).status_code == 403


def test_list_of_codes_says_how_each_stands(admin_client: Client) -> None:
    now = timezone.now()
    DiscountCode.objects.create(code="A", percent=Decimal("12.5"), limit=3, used=1)
    DiscountCode.objects.create(code="B", amount=5, minimum=20, limit=2, used=2)
    DiscountCode.objects.create(code="C", percent=10, starts_at=now + timedelta(days=1))
    DiscountCode.objects.create(code="D", percent=10, ends_at=now)
    DiscountCode.objects.create(code="E", percent=10, active=False)
    page = admin_client.get(CODES).text

    assert [cells(page, name) for name in ("off", "state_shown", "uses")] == [
        ["12.50 %", "€5.00 from €20.00", "10 %", "10 %", "10 %"],
        ["in use", "used up", "not begun", "over", "switched off"],
        ["1 of 3", "2 of 2", "0", "0", "0"],
    ]


def test_action_switches_codes_off(admin_client: Client) -> None:
    codes = [DiscountCode.objects.create(code=name, percent=10) for name in "AB"]
    form = {"action": "switch_off", "_selected_action": [str(code.pk) for code in codes], "index": "0"}

    said = [messages_of(admin_client.post(CODES, form)) for _ in range(2)]

    assert (
        said
        == [
            ["2 codes are switched off."],
            ["Nothing to do: all of them were switched off already."],
        ]
        or said[1][-1] == "Nothing to do: all of them were switched off already."
    )
    assert not DiscountCode.objects.filter(active=True).exists()
