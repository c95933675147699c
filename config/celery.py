"""The Celery app. Every option says what goes wrong without it; schedules live in `tasks/schedule.py`."""

import gc
import os
from typing import Any

from celery import Celery, Task
from celery.signals import beat_init, task_prerun, worker_process_init, worker_ready
from django_structlog.celery.steps import DjangoStructLogInitStep

# A soft shutdown must also answer SIGTERM, the signal that every supervisor sends; read at import by Celery.
os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# The release and the web process check the project; a worker that did would keep all pages in memory (23 MB).
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("tallyman", task_cls="tasks.base:BaseTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(DjangoStructLogInitStep)  # binds the ids that messages bring along


@worker_process_init.connect
def _leave_what_stays(**_: object) -> None:
    """What is loaded once stays: don't look through it for rubbish again and again (docs/adr/0006)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@task_prerun.connect
def _drop_broken_connections(task: Task, **_: object) -> None:
    """As Django does before a request: else every task would fail after PostgreSQL was restarted."""
    from django.db import close_old_connections  # the settings are not there yet when this module is read

    if not task.request.is_eager:  # it runs inside its caller's transaction
        close_old_connections()


@worker_ready.connect
def _tell_of_worker(sender: Any, **_: object) -> None:
    from config import pulses  # the settings are not there yet when this module is read

    pulses.of_worker(sender)


@beat_init.connect
def _watch_and_tell_of_beat(sender: Any, **_: object) -> None:
    from config import pulses
    from tasks import watching  # the settings are not there yet when this module is read

    watching.start()
    pulses.of_beat(sender)
