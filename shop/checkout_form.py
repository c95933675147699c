"""The form of the checkout. Names and addresses may be in any script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from shop.placing import Address, Checkout

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

_ADDRESS = ("name", "company", "line1", "line2", "postcode", "city", "country", "region", "phone")
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


class CheckoutForm(forms.Form):
    """All that a customer says. `total` is what the page showed; `key` makes that it is done once."""

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
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["country"]).choices = [("", _("Choose…")), *countries]
        cast(forms.ChoiceField, self.fields["payment"]).choices = list(payments)

    def mark_wrong(self) -> None:
        """Tie each message to its field, and begin with the first one that is wrong."""
        for name in self.errors:
            if name in self.fields:
                attributes = {"aria-invalid": "true", "aria-describedby": f"wrong-{name}"}
                self.fields[name].widget.attrs |= attributes
        if first := next((name for name in self.fields if name in self.errors), None):
            self.fields[first].widget.attrs["autofocus"] = True

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
        return Checkout(
            email=said["email"],
            address=Address(**{name: said[name] for name in _ADDRESS}),
            delivery=said["delivery"],
            discount=said["discount"],
            language=get_language() or "en",
            expected_total=said["total"],
        )
