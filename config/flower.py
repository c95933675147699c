"""Flower behind the admin's login; `manage.py flower` serves it.

Instead of `celery flower`, whose options and FLOWER_… variables don't count here: what is needed of them is
set below. FLOWER_URL says where people reach it; with a path, as in https://shop.example/flower, that is the
prefix of all its addresses (docs/flower.md).
"""

from __future__ import annotations

import atexit
import logging
import os
import re
import signal
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.db import connections
from flower.app import Flower
from flower.events import Events
from flower.options import options
from flower.urls import settings as flower_settings
from flower.utils import prepend_url
from flower.views.tasks import TASK_COLUMNS
from tornado.httputil import HTTPServerRequest
from tornado.ioloop import IOLoop
from tornado.web import RedirectHandler, RequestHandler

from config.celery import app
from config.flower_guard import guarded

log = structlog.get_logger(__name__)

_MAX_TASKS = 10_000
_ADDRESS = re.compile(r"[^\s@<>\"'(]+@[^\s@<>\"'),;]+\.[^\s@<>\"'),;.]+")
_DONE = re.compile(r"'done: .*'")  # followed by the title, which is there already
_TEXTS = ("args", "kwargs", "result", "exception", "traceback")


class CleanEvents(Events):
    """What workers tell, without mail addresses, which errors may name; progress is shown as a result."""

    def on_event(self, event: dict[str, Any]) -> None:
        """Called in the thread that listens."""
        if event["type"] == "task-progress":
            self.io_loop.add_callback(self._show_progress, event)
        else:
            super().on_event(without_addresses(with_subject(event)))

    def _show_progress(self, event: dict[str, Any]) -> None:
        task = self.state.tasks.get(event["uuid"])
        if task is not None and task.state == "STARTED":
            task.result = f"{event['percent']} %: {event['current']:,} of {event['total']:,}"


def with_subject(event: dict[str, Any]) -> dict[str, Any]:
    """The event of a tick, which has no arguments, with what its task does in their place."""
    if event.get("kwargs") != "{}" or event.get("args") not in ("()", "[]"):
        return event
    task = app.tasks.get(event.get("name", ""))
    said = ((task and task.__doc__) or "").strip().partition("\n\n")[0].partition(". ")[0]
    return event | {"args": "", "kwargs": " ".join(said.split())}


def without_addresses(event: dict[str, Any]) -> dict[str, Any]:
    """The event with each mail address in its texts replaced, and what is said twice left out.

    >>> without_addresses({"type": "task-failed", "exception": "Refused: <kim@home.example>"})["exception"]
    'Refused: <…@…>'
    """
    texts = {name: text for name in _TEXTS if isinstance(text := event.get(name), str)}
    if _DONE.fullmatch(texts.get("result", "")):
        texts["result"] = "done"
    return event | {name: _ADDRESS.sub("…@…", text) for name, text in texts.items()}


class _Threads(ThreadPoolExecutor):
    """Flower's threads, which may ask for a task's result in the database: they keep no connection."""

    def submit[**P, T](self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        def done_with() -> T:
            try:
                return work(*args, **kwargs)
            finally:
                connections.close_all()

        return super().submit(done_with)


class StaffFlower(Flower):
    """Flower with a doorman at every address, its 404 and its static files among them."""

    pool_executor_cls = _Threads

    def get_handler_delegate(
        self, request: HTTPServerRequest, target_class: type[RequestHandler], *args: Any, **kwargs: Any
    ) -> Any:
        """Tornado asks for whom each request goes to."""
        doorman = guarded(target_class)  # type: ignore[arg-type] # Tornado's types say that it has no hash
        return super().get_handler_delegate(request, doorman, *args, **kwargs)


def make(*, address: str, port: int, data_dir: Path | None = None, io_loop: Any = None) -> StaffFlower:
    """Flower for this address; with `data_dir` it remembers there what it saw, across restarts."""
    prefix = urlsplit(settings.FLOWER_URL).path.strip("/")
    options.address, options.port, options.url_prefix = address, port, prefix or None
    options.xheaders = settings.TRUSTED_PROXY_COUNT > 0
    options.max_tasks, options.purge_offline_workers = _MAX_TASKS, 3600
    options.tasks_columns = "uuid,name,kwargs,state,result,received,runtime,worker"
    TASK_COLUMNS["kwargs"] = "Subject"  # what jobs say of themselves stands for their arguments
    made: dict[str, Any] = {
        **flower_settings,
        "cookie_secret": settings.SECRET_KEY,
        "xsrf_cookie_kwargs": {"samesite": "Strict", "secure": settings.SESSION_COOKIE_SECURE},
    }
    if prefix:
        for name in ("login_url", "static_url_prefix"):
            made[name] = prepend_url(made[name], prefix)
    loop = io_loop or IOLoop.current()
    flower = StaffFlower(capp=app, options=options, events=_events(loop, data_dir), io_loop=loop, **made)
    if prefix:
        flower.add_handlers(".*", [(f"/{prefix}", RedirectHandler, {"url": f"/{prefix}/"})])
    return flower


def _events(loop: Any, data_dir: Path | None) -> CleanEvents:
    remembering: dict[str, Any] = {}
    if data_dir is not None and _writable(data_dir):
        kept = {"persistent": True, "db": str(data_dir / "state"), "state_save_interval": 60_000}
        remembering.update(kept)
    return CleanEvents(
        app, loop, enable_events=True, max_workers_in_memory=options.max_workers,
        max_tasks_in_memory=_MAX_TASKS, **remembering,
    )  # fmt: skip


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        log.warning("Flower will forget at each start what it saw", folder=str(folder), error=str(error))
        return False
    return os.access(folder, os.W_OK)


def serve(*, address: str, port: int) -> None:
    """Until SIGTERM or Ctrl-C."""
    flower = make(address=address, port=port, data_dir=settings.DATA_DIR / "flower")
    atexit.register(flower.stop)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    logging.getLogger("tornado.access").setLevel(logging.ERROR)  # open pages ask every second
    flower.start_http_server()
    log.info("Flower is ready", url=f"{settings.FLOWER_URL}/")
    try:
        flower.start()
    except (KeyboardInterrupt, SystemExit):
        log.info("Flower ends")
