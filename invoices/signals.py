"""What invoices announce, inside the transaction in which they are issued."""

from django.dispatch import Signal

document_issued = Signal()  # with `document`
