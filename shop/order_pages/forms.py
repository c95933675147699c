"""What staff type on an order's pages. What the order allows is checked by its verbs, under its lock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.core.validators import URLValidator

from shop.models import MAX_QUANTITY, OrderLine, Payment, Refund
from shop.order_pages.steps import money, new_key


class KeyedForm(forms.Form):
    """A form that is one act however often it is sent."""

    key = forms.CharField(max_length=100, widget=forms.HiddenInput, initial=new_key)


class _PiecesForm(KeyedForm):
    """Asks of each line for a number of pieces; `left` is how many there could be."""

    def __init__(
        self,
        *args: Any,
        lines: Iterable[OrderLine],
        left: Callable[[OrderLine], int],
        suggested: Callable[[OrderLine], int],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._lines = {f"pieces_{line.pk}": line for line in lines}
        self._left = left
        for name, line in self._lines.items():
            field = forms.IntegerField(
                label=f"Pieces of {line.name} ({line.sku})",
                required=False,
                min_value=0,
                max_value=MAX_QUANTITY,
                initial=suggested(line),
            )
            field.widget.attrs["max"] = left(line)
            self.fields[name] = field

    def pieces_fields(self) -> list[tuple[OrderLine, int, forms.BoundField]]:
        """The lines of which there could be any, with how many and their field."""
        return [(line, left, self[name]) for name, line in self._lines.items() if (left := self._left(line))]

    @property
    def pieces(self) -> dict[str, int]:
        """SKU → pieces, those of which some were asked for."""
        asked = {line.sku: self.cleaned_data.get(name) for name, line in self._lines.items()}
        return {sku: quantity for sku, quantity in asked.items() if quantity}


class WebAddress(forms.URLField):
    """An address of a page, and of nothing else."""

    default_validators = [URLValidator(schemes=["http", "https"])]


class TrackingForm(forms.Form):
    """How to follow a parcel."""

    carrier = forms.CharField(max_length=60, required=False)
    tracking_code = forms.CharField(max_length=100, required=False)
    tracking_url = WebAddress(
        label="Tracking address",
        max_length=500,
        required=False,
        assume_scheme="https",
        help_text="Where the customer can follow it.",
    )


class FulfilForm(_PiecesForm, TrackingForm):
    """A parcel: its pieces, and how to follow it."""

    def __init__(self, *args: Any, lines: Iterable[OrderLine], **kwargs: Any) -> None:
        super().__init__(*args, lines=lines, left=_unsent, suggested=_unsent, **kwargs)

    def clean(self) -> dict[str, Any]:
        """Refuse a parcel with nothing in it."""
        super().clean()
        if not self.errors and not self.pieces:
            raise forms.ValidationError("Nothing is in this shipment. Say how many pieces of what you send.")
        return self.cleaned_data


def _unsent(line: OrderLine) -> int:
    return line.outstanding


def _not_back(line: OrderLine) -> int:
    return line.quantity - line.restocked


class PaymentField(forms.ModelChoiceField):
    """Which payment the money goes back to."""

    def label_from_instance(self, payment: Any) -> str:
        left = money(payment.amount - payment.refund_reserved, payment.order)
        return f"{payment.gateway}, {payment.get_state_display()}: {left} left"


class RefundForm(_PiecesForm):
    """Money back, and pieces back into stock: those that were not sent, unless it is said otherwise."""

    payment = PaymentField(queryset=Payment.objects.none(), empty_label=None)
    amount = forms.DecimalField(min_value=Decimal("0.01"), max_digits=18, decimal_places=2, localize=False)
    reason = forms.CharField(max_length=200, required=False)

    def __init__(
        self, *args: Any, lines: Iterable[OrderLine], payments: list[Payment], choices: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, lines=lines, left=_not_back, suggested=_unsent, **kwargs)
        field = cast(PaymentField, self.fields["payment"])
        field.queryset = choices
        if payments:
            self.initial.setdefault("payment", payments[0].pk)
            self.initial.setdefault("amount", payments[0].amount - payments[0].refund_reserved)
        if len(payments) < 2:
            field.widget = forms.HiddenInput()

    def clean(self) -> dict[str, Any]:
        """Refuse pieces that can't come back, unless this is a refund's form sent once more."""
        super().clean()
        if not Refund.objects.filter(idempotency_key=self.cleaned_data.get("key", "")).exists():
            for name, line in self._lines.items():
                left = self._left(line)
                if (self.cleaned_data.get(name) or 0) > left:
                    self.add_error(name, f"Of {line.sku}, {left:,} can come back at most.")
        return self.cleaned_data


class CancelForm(forms.Form):
    """Why an order is called off."""

    reason = forms.CharField(max_length=200, required=False)


class ReceivedForm(forms.Form):
    """A transfer that came: for which payment, and what the bank's statement calls it."""

    payment = forms.ModelChoiceField(
        queryset=Payment.objects.none(), widget=forms.HiddenInput, empty_label=None
    )
    reference = forms.CharField(
        label="Bank's reference", max_length=200, required=False, help_text="So that nobody enters it twice."
    )

    def __init__(self, *args: Any, choices: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ModelChoiceField, self.fields["payment"]).queryset = choices

    def clean(self) -> dict[str, Any]:
        """Refuse a reference that another payment has."""
        data = super().clean() or self.cleaned_data
        payment, reference = data.get("payment"), data.get("reference")
        if payment and reference:
            others = Payment.objects.filter(gateway=payment.gateway, provider_reference=reference)
            if other := others.exclude(pk=payment.pk).select_related("order").first():
                raise forms.ValidationError(
                    {"reference": f"The payment of order {other.order.number} has this reference already."}
                )
        return data
