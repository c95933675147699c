"""The form that asks for the right address of a message, and of the order that it is about."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldBooleanWidget

from notifications import origins
from notifications.models import Message
from shop.models import Order


class AddressForm(BaseDialogForm):
    """Where a message goes instead."""

    recipient = forms.CharField(label="Right address", max_length=254, widget=UnfoldAdminEmailInputWidget)
    for_order = forms.BooleanField(
        label="It is the order's right address, too: later mails go there",
        required=False,
        initial=True,
        widget=UnfoldBooleanWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        message = Message.objects.filter(pk=self.object_id).only("recipient", "about").first()
        self.initial["recipient"] = message.recipient if message else ""
        self.order = order_with_it(self.request, message) if message else None
        if self.order is None:
            del self.fields["for_order"]

    def clean_recipient(self) -> str:
        """Refuse what no mail gets to."""
        address: str = self.cleaned_data["recipient"].strip()
        try:
            validate_email(address)
        except ValidationError as error:
            raise ValidationError(
                f"{address} is not a mail address, which is something like name@example.com."
            ) from error
        return address


def order_with_it(request: HttpRequest, message: Message) -> Order | None:
    """The order that the message is about, if it has the message's address and this person may mend it."""
    order = origins.order_of(message) if request.user.has_perm("shop.change_order") else None
    return order if order and order.email == message.recipient else None
