"""What people agree to when they ask for a mail, and the forms in which they do."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from django import forms
from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from shop import session_cart
from shop.subscriptions import Asking

STOCK_WORDING = _(
    "Write to me once, when this can be bought again. I can take that back at any time, by the link in the"
    " mail."
)
CART_WORDING = _(
    "Remind me once by e-mail if I leave this cart without ordering. I can take that back at any time, by the"
    " link in the mail."
)


def own_address(request: HttpRequest) -> str:
    """The address that the customer who is logged in has shown to be theirs; blank for others."""
    customer = session_cart.customer_of(request)
    if customer is None:
        return ""
    mine = EmailAddress.objects.filter(user=customer, verified=True).order_by("-primary", "pk")
    return mine.values_list("email", flat=True).first() or ""


class SubscribeForm(forms.Form):
    """An address, unless `own` is known: then that one is taken, whatever was typed."""

    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        widget=forms.EmailInput({"autocomplete": "email"}),
        error_messages={
            "required": _("Where shall we write to?"),
            "invalid": _("This does not look like an e-mail address; one is like kim@example.com."),
            "max_length": _("No e-mail address is that long."),
        },
    )

    def __init__(self, *args: Any, own: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.own = own
        if own:
            del self.fields["email"]

    def mark_wrong(self) -> None:
        """Tie the message to its field."""
        for name in self.errors:
            wrong = {"aria-invalid": "true", "aria-describedby": f"wrong-{name}", "autofocus": True}
            self.fields[name].widget.attrs |= wrong

    def asking(self, request: HttpRequest, wording: object) -> Asking:
        """Who asks, by a valid form."""
        return Asking(
            email=self.own or self.cleaned_data["email"],
            wording=str(wording),
            language=get_language() or "en",
            customer=session_cart.customer_of(request),
            is_verified=bool(self.own),
        )
