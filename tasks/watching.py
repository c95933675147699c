"""Beat's second duty: end the sessions of stopped workers even when no other worker is there to do it."""

from __future__ import annotations

import threading
import time

import structlog
from django.conf import settings
from django.db import DatabaseError, connection

from tasks import claiming

log = structlog.get_logger(__name__)


def start() -> None:
    """Watch from a thread of this process until it ends.

    A worker that was stopped, or cut off from the network, keeps its locks. Should it be the only one, then
    a person who pauses its import or edits a product that it was writing would wait for it without end.
    """
    threading.Thread(target=_watch, name="watch for lost sessions", daemon=True).start()


def _watch() -> None:
    while True:
        time.sleep(settings.JOB_LEASE_SECONDS / 3)
        try:
            claiming.end_lost_backends()
        except DatabaseError as error:
            log.warning("could not look for lost sessions", error=str(error))
            connection.close()  # the next look has a new one
