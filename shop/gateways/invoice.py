"""Bank transfer: the customer pays an invoice, and staff mark the order as paid when the money is there."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from shop.gateways.base import Answer, Gateway, Method, Says
from shop.models import Refund


class Invoice(Gateway):
    """Nobody is asked, so nothing can be lost on the way."""

    method = Method(
        code="invoice",
        name=gettext_noop("Bank transfer"),
        description=gettext_noop(
            "You transfer the money to our account. We send your order when it has arrived."
        ),
    )

    def refund(self, refund: Refund) -> Answer:
        """Whoever records it has transferred the money back."""
        return Answer(Says.TAKEN)
