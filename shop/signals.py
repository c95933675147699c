"""What orders announce. Sent inside the transaction of the event, so that listeners write in it too; one that
raises takes the event back. All have `order` (Order), as it is now."""

from django.dispatch import Signal

order_placed = Signal()
order_paid = Signal()  # also with `payment`: Payment, or None where there was nothing to pay
# Also with `payment`, and `seen`: whether the customer was told at once, at the checkout. While the order is
# pending, it can be paid for again.
order_payment_failed = Signal()
order_awaits_transfer = Signal()  # also with `payment`: the customer transfers it
order_shipped = Signal()  # also with `shipment`: once for each
order_delivered = Signal()
order_cancelled = Signal()
order_refunded = Signal()  # also with `refund`: once for each, partial ones too
order_expired = Signal()
