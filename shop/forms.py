"""The form with which staff edit a product, and that of the filters that customers set."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from shop.browsing import Sort
from shop.models import Product

_ROWS = {"options": 3, "metadata": 6, "description": 8}  # lines that a field shows


class ProductForm(forms.ModelForm):
    """Says what is wrong in the words of the shop.

    The stock that is typed counts as a change of the stock that the form showed: what was sold while the form
    was open stays sold. Validate it in a transaction: the product is locked until that ends.
    """

    class Meta:
        model = Product
        fields = "__all__"  # noqa: DJ007 - the admin's fieldsets choose
        error_messages = {
            "price": {"min_value": "The price can't be negative."},
            "compare_at_price": {"min_value": "The compare-at price must be above zero, or blank."},
            "stock": {"min_value": "The stock can't be negative."},
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.moved = 0  # pieces that came or went while the form was open
        for name in _ROWS.keys() & self.fields.keys():
            self.fields[name].widget.attrs["rows"] = _ROWS[name]
        if "stock" in self.fields and not self.instance._state.adding:
            self.fields["stock"].show_hidden_initial = True

    def clean_stock(self) -> int:
        """The stock as it will be: what is there, and the difference that was typed."""
        typed: int = self.cleaned_data["stock"]
        if self.instance._state.adding or typed < 0:  # which the model refuses
            return typed
        locked = Product.objects.select_for_update(no_key=True).filter(pk=self.instance.pk)
        there = locked.values_list("stock", flat=True).first()
        if there is None:
            raise forms.ValidationError("The product was deleted while this page was open.")
        shown = self._shown_stock()
        self.moved = there - shown
        if there + typed - shown < 0:
            raise forms.ValidationError(
                f"While this page was open, the stock went from {shown:,} to {there:,}, so {shown - typed:,}"
                " can't be taken away. Open the page again, and write what is there now."
            )
        return there + typed - shown

    def _shown_stock(self) -> int:
        """What the form showed; a form that does not tell was made from what was just read."""
        shown = self.data.get(self.add_initial_prefix("stock"), "")
        try:
            return int(shown)
        except ValueError:
            return int(self.instance.stock)


class FilterForm(forms.Form):
    """What a list is narrowed to and how it is sorted. Each field is read by itself: one that can't be
    understood is named, and the others count."""

    sort = forms.ChoiceField(label=_("Sort by"), required=False)
    lowest = forms.DecimalField(
        label=_("Price from"), required=False, min_value=0, max_digits=12, decimal_places=2
    )
    highest = forms.DecimalField(
        label=pgettext_lazy("price", "to"), required=False, min_value=0, max_digits=12, decimal_places=2
    )
    in_stock = forms.BooleanField(label=_("In stock"), required=False)

    def __init__(self, *args: Any, has_words: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        orders = [order for order in Sort if has_words or order != Sort.RELEVANCE]
        choices = [(order.value, order.label) for order in orders]
        self.fields["sort"] = forms.ChoiceField(label=_("Sort by"), required=False, choices=choices)

    @property
    def narrows(self) -> bool:
        """Whether it leaves anything out."""
        return any(
            self.cleaned_data.get(name) not in (None, False) for name in ("lowest", "highest", "in_stock")
        )
