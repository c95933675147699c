"""Wires the apps together. Importing it makes the Celery app the default one, as `shared_task` needs."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
