"""What staff type about delivery, tax and discounts, with messages in their words."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.db.models.functions import Upper
from unfold.widgets import UnfoldAdminTextInputWidget

from shop.models import DeliveryMethod, DiscountCode, TaxRate

_COUNTRY = re.compile(r"[A-Z]{2}")


def country_code(text: str) -> str:
    """`de ` as `DE`; raises ValidationError for what is no ISO code."""
    code = text.strip().upper()
    if not _COUNTRY.fullmatch(code):
        raise forms.ValidationError(f"“{text.strip()}” is no country code. Write two letters, such as DE.")
    return code


class DeliveryMethodForm(forms.ModelForm):
    """A way of delivery; the countries are typed as a list."""

    countries = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Codes with commas between them: DE, AT, CH. Blank: everywhere.",
    )

    class Meta:
        model = DeliveryMethod
        fields = ["name", "code", "fee", "free_from", "countries", "position", "active"]
        help_texts = {
            "code": "What orders and links call it; customers don't see it.",
            "position": "Those with lower numbers are offered first.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["countries"] = ", ".join(self.instance.countries)

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if DeliveryMethod.objects.filter(code=code).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(f"Another delivery method has the code “{code}”.")
        return code

    def clean_fee(self) -> Any:
        return _not_negative(self.cleaned_data["fee"], "The fee can't be negative; 0 is free.")

    def clean_free_from(self) -> Any:
        return _not_negative(self.cleaned_data["free_from"], "The amount can't be negative; leave it blank.")

    def clean_countries(self) -> list[str]:
        """Each once, in capitals."""
        typed = [part for part in self.cleaned_data["countries"].split(",") if part.strip()]
        return list(dict.fromkeys(map(country_code, typed)))


def _not_negative(amount: Any, message: str) -> Any:
    if amount is not None and amount < 0:
        raise forms.ValidationError(message)
    return amount


class TaxRateForm(forms.ModelForm):
    """The rate of a country, or of a region of one."""

    class Meta:
        model = TaxRate
        fields = ["country", "region", "percent"]
        error_messages = {
            "percent": {
                "min_value": "A tax rate is from 0 to 100 percent.",
                "max_value": "A tax rate is from 0 to 100 percent.",
            }
        }

    def clean_country(self) -> str:
        return country_code(self.cleaned_data["country"])

    def clean(self) -> dict[str, Any]:
        """Refuse a second rate for the same place."""
        data = super().clean() or self.cleaned_data
        country, region = data.get("country"), (data.get("region") or "").strip()
        there = TaxRate.objects.alias(name=Upper("region")).filter(country=country, name=region.upper())
        if country and (other := there.exclude(pk=self.instance.pk).first()):
            self.add_error("country", f"There is a rate already: {other}. Change that one.")
        return data


class DiscountCodeForm(forms.ModelForm):
    """A discount code. Validate a stored one in a transaction: it is locked until that ends, so that no order
    takes it meanwhile and the limit is compared with what holds."""

    class Meta:
        model = DiscountCode
        fields = [
            "code", "percent", "amount", "minimum", "limit", "limit_per_customer", "starts_at", "ends_at",
            "active",
        ]  # fmt: skip

    def clean_code(self) -> str:
        """In capitals and without spaces, as customers' input is compared."""
        code = "".join(self.cleaned_data["code"].split()).upper()
        if DiscountCode.objects.filter(code=code).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(f"There is a code {code} already.")
        return code

    def clean_minimum(self) -> Any:
        return _not_negative(self.cleaned_data["minimum"], "The minimum can't be negative; 0 is none.")

    def clean_limit(self) -> int | None:
        """Not below what was used by now."""
        limit: int | None = self.cleaned_data["limit"]
        held = DiscountCode.objects.select_for_update().filter(pk=self.instance.pk)
        used = held.values_list("used", flat=True).first() or 0
        if limit is not None and limit < used:
            raise forms.ValidationError(f"{used:,} orders have it already, so the limit can't be lower.")
        return limit

    def clean(self) -> dict[str, Any]:
        """Exactly one of percentage and amount; an end after its beginning."""
        data = super().clean() or self.cleaned_data
        percent, amount = data.get("percent"), data.get("amount")
        if "percent" not in self.errors and "amount" not in self.errors:
            if (percent is None) == (amount is None):
                self.add_error("percent", "Give either a percentage or an amount, one of the two.")
            elif percent is not None and not 0 < percent <= 100:
                self.add_error("percent", "A percentage is above 0 and at most 100.")
            elif amount is not None and amount <= 0:
                self.add_error("amount", "The amount must be above 0.")
        starts, ends = data.get("starts_at"), data.get("ends_at")
        if starts and ends and ends <= starts:
            self.add_error("ends_at", "It would end before it begins.")
        return data
