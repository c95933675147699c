"""The Celery app. Every option says what goes wrong without it; schedules live in `tasks/schedule.py`."""

import os

from celery import Celery

# A soft shutdown must also answer SIGTERM, the signal that every supervisor sends; read at import by Celery.
os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("tallyman", task_cls="tasks.base:BaseTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
