"""What imports announce. Sent inside the transaction of the event, so that listeners write in it too."""

from django.dispatch import Signal

# Sent with `run` (ImportRun) when it completed, failed or was cancelled; its counters are final.
import_finished = Signal()
