"""Wires the apps together. Importing it makes the Celery app the default one, as `shared_task` needs."""

from config import logs  # noqa: F401 - first: it loads structlog as we want it
from config.celery import app as celery_app

__all__ = ["celery_app"]
