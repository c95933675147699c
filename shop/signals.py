"""What orders announce. Sent inside the transaction of the event, so that listeners write in it too; one that
raises takes the event back. Those of orders have `order` (Order), as it is now."""

from django.dispatch import Signal

order_placed = Signal()
order_paid = Signal()  # also with `payment`: Payment, or None where there was nothing to pay
# Also with `payment`, and `seen`: whether the customer was told at once, at the checkout. While the order is
# pending, it can be paid for again.
order_payment_failed = Signal()
order_awaits_transfer = Signal()  # also with `payment`: the customer transfers it
order_shipped = Signal()  # also with `shipment`: once for each
# Also with `shipment`, as it is now, and `event` (OrderEvent): once for each change.
order_tracking_changed = Signal()
order_delivered = Signal()
order_cancelled = Signal()
order_refunded = Signal()  # also with `refund`: once for each, partial ones too
order_expired = Signal()

# Mails that somebody asked for (shop.subscriptions), each with `subscription` but for the last.
subscription_asked = Signal()  # its address must confirm it; sent each time that it is asked for
# Also with `product`, and `movement`: the number of the stock ledger's entry that brought it back.
back_in_stock = Signal()
cart_left = Signal()  # also with `rows`: what of it can still be bought (shop.cart_rows.Row)
subscriptions_ended = Signal()  # with `subscriptions`: a list; nobody wants their mails any more
