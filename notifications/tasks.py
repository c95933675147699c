"""The mail queue's one kind of job."""

from notifications import delivery
from notifications.outbox import DELIVER
from tasks.claiming import Claim
from tasks.registry import handles


# With the engine's growing pauses, 40 attempts outlast a provider that is away for more than two hours.
@handles(DELIVER, queue="mail", max_attempts=40, on_dead=delivery.give_up)
def deliver(claim: Claim) -> None:
    """Hand one message of the outbox to the mail provider."""
    delivery.deliver(claim)
