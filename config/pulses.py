"""The heartbeats of worker, beat and web: each says that it lives, and looks whether all else is well.

All three look, so that none of them is missed by itself alone.
"""

from __future__ import annotations

import os
import socket
from typing import Any

from monitoring import alerting, carrying
from monitoring.heartbeats import Pulse
from monitoring.models import Heartbeat


def of_worker(consumer: Any) -> None:
    """The one of a Celery worker's main process; its children do not fork any."""
    queues = consumer.app.amqp.queues
    pulse = Pulse(
        role=Heartbeat.Role.WORKER,
        name=consumer.hostname,
        queues=lambda: list(queues.consume_from),
        then=[alerting.look],
    )
    pulse.start()


def of_beat(service: Any) -> None:
    """Beat's: silent when its loop does not turn."""
    scheduler = service.scheduler  # made when it is first asked for
    pulse = Pulse(
        role=Heartbeat.Role.BEAT,
        name=f"beat@{socket.gethostname()}/{os.getpid()}",
        worked_at=lambda: scheduler.sent_at,
        is_well=lambda: scheduler.is_ticking,
        then=[alerting.look, carrying.lend_a_hand],
    )
    pulse.start()


def of_web() -> None:
    """That of a process of the web server."""
    name = f"web@{socket.gethostname()}/{os.getpid()}"
    Pulse(role=Heartbeat.Role.WEB, name=name, then=[alerting.look, carrying.lend_a_hand]).start()
