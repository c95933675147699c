"""One round of delivery: due messages, the longest due first, over one connection, for a few seconds.

Rounds are jobs. Whoever writes a message sees to it, after the commit, that one waits
(`outbox.ensure_round`); a round that leaves something behind sees to the next one, and beat's look does so
where both died. A round that finds more than it reserves at once calls another to its side, up to
MAIL_CONNECTIONS. It ends after MAIL_ROUND_SECONDS, so that its worker's other jobs have their turn.

A provider that can't be reached ends the round, and what was reserved stays as it was: no attempt is counted,
and the longest due is still the first.
"""

from __future__ import annotations

import math
import time
import traceback

import structlog
from django.conf import settings
from django.db import transaction

from notifications import circuit, delivery, outbox, transport
from notifications.composing import compose
from notifications.delivery import Sent
from notifications.models import Message
from notifications.transport import NotSent
from tasks import claiming, queueing
from tasks.claiming import Claim
from tasks.models import Job

log = structlog.get_logger(__name__)

AT_ONCE = 50  # messages that a round reserves at a time
_SLOWEST = 4  # mails a second that any connection carries: a slow rate needs no more of them


def deliver(claim: Claim) -> None:
    """Send what is due until nothing is, the time is over or the provider does not answer; then see to it
    that the rest is looked at in time. Raises LeaseLost when the round has been taken for lost."""
    is_one_too_many = _is_one_too_many()
    pause = circuit.paused_for()
    if not pause and not is_one_too_many:
        pause = _Round(claim).run()
    with transaction.atomic():
        claiming.complete(claim)
    if not is_one_too_many:  # else those that run see to what is left
        look(not_before=pause)


def look(*, not_before: float = 0.0) -> None:
    """See to it that a round waits for the next message that is due; at the earliest in so many seconds."""
    seconds = delivery.seconds_to_next()
    if seconds is not None:
        outbox.ensure_round(max(seconds, not_before))


def _is_one_too_many() -> bool:
    """Whether the provider would have to bear more at a time than it should."""
    most = settings.MAIL_CONNECTIONS
    if settings.MAIL_RATE:
        most = min(most, math.ceil(settings.MAIL_RATE / _SLOWEST))
    return Job.objects.leased().filter(kind=outbox.DELIVER).count() > most


class _Round:
    """The state of a round: its connection, and the message that was sent and is not yet recorded."""

    def __init__(self, claim: Claim) -> None:
        self._claim = claim
        self._line = transport.line()
        self._pace = circuit.Pace()
        self._ends = time.monotonic() + settings.MAIL_ROUND_SECONDS
        self._latest = time.monotonic() + settings.CELERY_TASK_SOFT_TIME_LIMIT / 2
        self._sent: Sent | None = None  # and not yet recorded
        self._pause = 0.0
        self._is_answering = False  # the provider, in this round

    def run(self) -> float:
        """Do it; returns for how many seconds another round would be in vain."""
        try:
            while reserved := delivery.reserve(self._claim, limit=AT_ONCE):
                if len(reserved) == AT_ONCE:
                    outbox.ensure_round()  # more hands
                allowed = delivery.without_held_back(self._claim, reserved)
                if not all(self._goes_on_after(message) for message in allowed):
                    break
            self._record()
            delivery.release(self._claim)
        finally:
            self._line.close()
        return self._pause

    def _goes_on_after(self, reserved: Message) -> bool:
        """Deal with one message; whether there is time for another, and somebody to send it to."""
        if not delivery.give_up_lost(self._claim, reserved) and self._has_its_turn() and self._has_a_line():
            sent, self._sent = self._sent, None
            message = delivery.begin(self._claim, reserved, sent=sent)
            if message is not None:
                self._send(message)
        return not self._pause and (time.monotonic() < self._ends or self._has_no_successor())

    def _has_no_successor(self) -> bool:
        """Whether nobody would hear that there is more to do, because the broker is dead: then this round
        goes on, for as long as a task may last."""
        outbox.ensure_round()
        if time.monotonic() > self._latest or queueing.remind(outbox.DELIVER):
            return False
        self._ends = time.monotonic() + settings.MAIL_ROUND_SECONDS
        return True

    def _has_its_turn(self) -> bool:
        """Wait for the next place that MAIL_RATE has for us; False when that is after the round's end."""
        seconds = self._pace.wait(within=self._ends - time.monotonic())
        if seconds is None:
            self._pause = 1 / settings.MAIL_RATE
            return False
        if seconds:
            self._record()
            time.sleep(seconds)
        return True

    def _has_a_line(self) -> bool:
        """Have a connection that stands; False when there is none to be had."""
        if self._line.is_ready:
            return True
        self._record()
        self._pause = circuit.admit()
        if self._pause:
            return False
        try:
            self._line.stand()
        except NotSent as error:
            circuit.failed(str(error))
            self._pause = circuit.paused_for() or settings.MAIL_PAUSE_SECONDS
            return False
        self._is_answering = False
        return True

    def _send(self, message: Message) -> None:
        try:
            self._sent = Sent(message, self._handed_over(message))
        except NotSent as error:
            delivery.record_failure(self._claim, message, error)
            if error.outage:
                circuit.failed(str(error))
                self._pause = circuit.paused_for()
                return
        if not self._is_answering:
            self._is_answering = True
            circuit.answered()

    def _handed_over(self, message: Message) -> str:
        """The provider's answer. Raises NotSent for whatever else comes of it: one message that nobody can
        deal with must not hold up the others."""
        may_be_out = False
        try:
            mail = compose(message)
            may_be_out = True
            return self._line.send(mail)
        except NotSent:
            raise
        except Exception as error:
            log.exception("a message could not be sent", message=message.pk)
            self._line.close()
            told = "".join(traceback.format_exception(error))[-8000:]
            raise NotSent(told, ambiguous=may_be_out) from error

    def _record(self) -> None:
        """Write down what was sent last, at the latest with what is begun next."""
        sent, self._sent = self._sent, None
        if sent is not None:
            delivery.record_sent(self._claim, sent)
