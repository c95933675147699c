"""The form that asks for the right address of a message."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminEmailInputWidget

from notifications.models import Message


class AddressForm(BaseDialogForm):
    """Where a message goes instead."""

    recipient = forms.CharField(
        label="Right address",
        max_length=254,
        widget=UnfoldAdminEmailInputWidget,
        help_text="The order, or whatever else has the wrong one, keeps it: correct it there as well.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        message = Message.objects.filter(pk=self.object_id).only("recipient").first()
        self.initial["recipient"] = message.recipient if message else ""

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
