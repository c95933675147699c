"""The mail queue's one kind of job, and beat's look at the outbox."""

from celery import shared_task

from notifications import rounds
from notifications.outbox import DELIVER
from tasks.claiming import Claim
from tasks.registry import handles


@handles(DELIVER, queue="mail")
def deliver(claim: Claim) -> None:
    """Hand messages of the outbox that are due to the mail provider."""
    rounds.deliver(claim)


@shared_task(name="notifications.look", queue="mail", ignore_result=True)
def look() -> None:
    """See to it that messages that are due are delivered, whatever became of those who had to."""
    rounds.look()
