"""What imports announce. Sent inside the transaction of the event, so that listeners write in it too."""

from django.dispatch import Signal

# Sent with `run` (ImportRun) when it completed, failed or was cancelled; its counters are final.
import_finished = Signal()
# Sent with `run` when its preview is there and somebody with a permission of their own must look at it
# (`blast_radius.approvers`), because its owner may not approve it.
import_needs_second = Signal()
