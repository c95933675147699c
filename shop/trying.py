"""Try a transaction again when the database broke it off for somebody else's sake."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.db import OperationalError, connection
from django.utils.translation import gettext
from psycopg import errors

from shop.problems import Code, Problem, Refused

ATTEMPTS = 5
_BROKEN_OFF = (errors.DeadlockDetected, errors.SerializationFailure)


def patiently[**P, R](work: Callable[P, R]) -> Callable[P, R]:
    """Have `work`, which opens its own transaction, done again when it met a deadlock or a conflict.

    Our own code takes its locks in one order and meets none; SQL by hand or an action on a list may not.
    Raises Refused (busy) when it was in vain five times. Inside a transaction not its own it runs once.
    """

    @wraps(work)
    def tried(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            return work(*args, **kwargs)
        for _ in range(ATTEMPTS):
            try:
                return work(*args, **kwargs)
            except OperationalError as error:
                if not isinstance(error.__cause__, _BROKEN_OFF):
                    raise
        message = gettext("The shop is very busy at the moment. Nothing was done; try again.")
        raise Refused([Problem(Code.BUSY, message)])

    return tried
