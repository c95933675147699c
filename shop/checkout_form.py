"""The form of the checkout. Names and addresses may be in any script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from shop.placing import Address, Checkout

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

_ADDRESS = ("name", "company", "line1", "line2", "postcode", "city", "country", "region", "phone")
_BILLING = "billing"  # before the names of fields of the other address: `billing-name`
_NO_KEY = _("Open the checkout again: something that belongs to this page is missing.")


class Words(forms.CharField):
    """Text of one line, its white space made regular."""

    def __init__(self, label: StrOrPromise, *, longest: int, fill: str, missing: StrOrPromise = "") -> None:
        unprintable = _("this has a character that can't be printed.")
        says: dict[str, Any] = {
            "required": missing,
            "max_length": format_lazy("{}: {}", label, _("%(limit_value)d characters are the most.")),
            "null_characters_not_allowed": format_lazy("{}: {}", label, unprintable),
        }
        attributes = {"autocomplete": fill, "dir": "auto"}
        super().__init__(
            label=label,
            max_length=longest,
            required=bool(missing),
            widget=forms.TextInput(attributes),
            error_messages=says,
        )

    def to_python(self, value: Any) -> str:
        return " ".join((super().to_python(value) or "").split())


class BillingForm(forms.Form):
    """Whom the invoice is for, where that is somebody else, or somewhere else, than the goods go to."""

    use_required_attribute = False  # browsers would hold up the form for what they don't even show

    name = Words(
        _("Name"), longest=200, fill="billing name", missing=_("Who shall the invoice be made out to?")
    )
    company = Words(_("Company (optional)"), longest=200, fill="billing organization")
    line1 = Words(
        _("Street and number"),
        longest=200,
        fill="billing address-line1",
        missing=_("Which street and number?"),
    )
    line2 = Words(_("Apartment, floor, … (optional)"), longest=200, fill="billing address-line2")
    postcode = Words(_("Postcode"), longest=20, fill="billing postal-code")
    city = Words(_("City"), longest=120, fill="billing address-level2", missing=_("Which city?"))
    region = Words(_("State or region (optional)"), longest=120, fill="billing address-level1")
    country = forms.ChoiceField(
        label=_("Country"),
        widget=forms.Select({"autocomplete": "billing country"}),
        error_messages=dict.fromkeys(("required", "invalid_choice"), _("Which country?")),
    )

    def __init__(self, *args: Any, countries: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["country"]).choices = [("", _("Choose…")), *countries]

    @property
    def address_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in _ADDRESS if name in self.fields]


class CheckoutForm(forms.Form):
    """All that a customer says. `total` is what the page showed; `key` makes that it is done once.

    `billed_to` is a form of its own within this one; what is typed there counts while `billing` says so.
    """

    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        widget=forms.EmailInput({"autocomplete": "email"}),
        error_messages={
            "required": _("Where shall we send the order's confirmation?"),
            "invalid": _("This does not look like an e-mail address; one is like kim@example.com."),
        },
    )
    name = Words(_("Name"), longest=200, fill="name", missing=_("Who is it for?"))
    company = Words(_("Company (optional)"), longest=200, fill="organization")
    line1 = Words(
        _("Street and number"), longest=200, fill="address-line1", missing=_("Which street and number?")
    )
    line2 = Words(_("Apartment, floor, … (optional)"), longest=200, fill="address-line2")
    postcode = Words(_("Postcode"), longest=20, fill="postal-code")
    city = Words(_("City"), longest=120, fill="address-level2", missing=_("Which city?"))
    region = Words(_("State or region (optional)"), longest=120, fill="address-level1")
    country = forms.ChoiceField(
        label=_("Country"),
        widget=forms.Select({"autocomplete": "country"}),
        error_messages={
            "required": _("Choose the country that we shall deliver to."),
            "invalid_choice": _("We don't deliver to that country. Choose another one."),
        },
    )
    phone = Words(_("Phone, for the carrier (optional)"), longest=40, fill="tel")
    # No choice that there is, and none at all, mean the address that the goods go to.
    billing = forms.Field(required=False, initial="same")
    discount = Words(_("Discount code"), longest=40, fill="off")
    delivery = forms.CharField(
        max_length=40, error_messages={"required": _("Choose how it shall be delivered.")}
    )
    payment = forms.ChoiceField(
        error_messages={
            "required": _("Choose how you would like to pay."),
            "invalid_choice": _("It can't be paid in that way any more. Choose another one."),
        }
    )
    total = forms.DecimalField(
        max_digits=18,
        decimal_places=2,
        error_messages=dict.fromkeys(("required", "invalid"), _("Look at the total once more, please.")),
    )
    # Providers get it in a header, where not every character can stand.
    key = forms.RegexField(
        r"^[A-Za-z0-9_-]{1,64}\Z", error_messages=dict.fromkeys(("required", "invalid"), _NO_KEY)
    )

    def __init__(
        self,
        *args: Any,
        countries: Sequence[tuple[str, str]],
        payments: Sequence[tuple[str, str]],
        every_country: Sequence[tuple[str, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        counts = self.is_bound and self.has_own_billing
        known = self.data if self.is_bound else self.initial
        start = f"{_BILLING}-"
        theirs = {name.removeprefix(start): known[name] for name in known if name.startswith(start)}
        self.billed_to = BillingForm(
            self.data if counts else None, prefix=_BILLING, initial=theirs, countries=every_country
        )
        cast(forms.ChoiceField, self.fields["country"]).choices = [("", _("Choose…")), *countries]
        cast(forms.ChoiceField, self.fields["payment"]).choices = list(payments)

    @property
    def has_own_billing(self) -> bool:
        """Whether the invoice goes to another address than the goods."""
        return bool(self["billing"].value() == "other")

    def is_valid(self) -> bool:
        return super().is_valid() and (not self.has_own_billing or self.billed_to.is_valid())

    def mark_wrong(self) -> None:
        """Tie each message to its field, and begin with the first one that is wrong."""
        parts: tuple[forms.Form, ...] = (self, self.billed_to)
        wrong = [part[name] for part in parts for name in part.fields if name in part.errors]
        for bound in wrong:
            attributes = {"aria-invalid": "true", "aria-describedby": f"wrong-{bound.html_name}"}
            bound.field.widget.attrs |= attributes
        if wrong:
            wrong[0].field.widget.attrs["autofocus"] = True

    @property
    def about_page(self) -> list[str]:
        """What is wrong with the page itself, rather than with what was typed."""
        return [str(message) for name in ("total", "key") for message in self.errors.get(name, [])]

    @property
    def address_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in _ADDRESS]

    def checkout(self) -> Checkout:
        """What a valid form says."""
        said = self.cleaned_data
        address = Address(**{name: said[name] for name in _ADDRESS})
        return Checkout(
            email=said["email"],
            address=address,
            billing=self._billing(address),
            delivery=said["delivery"],
            discount=said["discount"],
            language=get_language() or "en",
            expected_total=said["total"],
        )

    def _billing(self, address: Address) -> Address | None:
        """The other address; None for the same one, typed twice or not."""
        if not self.has_own_billing:
            return None
        billing = Address(**self.billed_to.cleaned_data)
        return None if billing == replace(address, phone="") else billing
