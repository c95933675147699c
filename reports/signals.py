"""What reports announce. Sent inside the transaction of the event, so that listeners write in it too."""

from django.dispatch import Signal

# Sent with `run` (ReportRun) that is done, its files stored, with `answer` (Answer), what it
# found, and `mail` (as_mail.Mail), the same as parts of a mail.
report_ready = Signal()
# Sent with `run` that failed for good; its `error` is for people.
report_failed = Signal()
# Sent with `schedule` (ReportSchedule) that pauses because it failed so often in a row, and with the last
# `run`. That one is not announced by `report_failed` besides.
schedule_paused = Signal()
