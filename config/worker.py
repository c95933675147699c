"""Celery's worker alone: `python -m config.worker` takes the options of `celery -A config worker`.

`celery` loads the commands of all plug-ins first, Flower with its web server among them: 15 MB that every
child of the worker would keep. It works all the same, for whoever is used to it.
"""

from __future__ import annotations

from celery.bin.base import CLIContext
from celery.bin.worker import worker

from config.celery import app

if __name__ == "__main__":
    app.set_current()
    worker.main(prog_name="worker", obj=CLIContext(app=app, no_color=False, workdir=None, quiet=False))
