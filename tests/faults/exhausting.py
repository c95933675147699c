"""A job whose first attempt asks for more memory than there is; for workers started with `--include`."""

from django.db import transaction

from tasks import claiming
from tasks.claiming import Claim
from tasks.registry import handles


@handles("tests.exhaust", queue="default")
def exhaust(claim: Claim) -> None:
    """Ask for an exbibyte, then be content."""
    if claim.job.attempts == 1:
        bytearray(1 << 60)
    with transaction.atomic():
        claiming.complete(claim)
