"""What monitoring announces, inside the transaction that writes it down: each once."""

from django.dispatch import Signal

alert_raised = Signal()  # alert: Alert
alert_cleared = Signal()  # alert: Alert
