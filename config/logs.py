"""Where lines of logs go and how they look: JSON for machines, and for people on a terminal in words.

Each line has the ids of what it was written in: `request_id` → `task_id` (and `parent_task_id`) → `job`.
Settings import this module: no Django.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Any

from django.core.exceptions import ImproperlyConfigured

# structlog loads rich for tracebacks that nobody here asks for, and a worker's children would each keep its
# 12 MB: hidden for as long as structlog looks for it.
_rich = sys.modules.get("rich")
sys.modules["rich"] = None  # type: ignore[assignment]
try:
    import structlog
finally:
    if _rich is None:
        del sys.modules["rich"]
    else:
        sys.modules["rich"] = _rich

FORMATS = ("auto", "json", "console")

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,  # the ids, bound where each begins
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso"),
]


def _id_of_request(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Django tells of an answer like 404 when the request's own context is over; it hands the request on."""
    request_id = getattr(getattr(event.get("_record"), "request", None), "request_id", None)
    return {"request_id": request_id, **event} if request_id else event


_JSON: list[Any] = [
    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
    structlog.processors.format_exc_info,
    structlog.processors.EventRenamer("message"),
    structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
]


def configure(*, level: str, style: str) -> dict[str, Any]:
    """Set structlog up and return Django's LOGGING. `style`: one of FORMATS; auto is console on a terminal.

    Raises ImproperlyConfigured for another.
    """
    if style not in FORMATS:
        raise ImproperlyConfigured(f"LOG_FORMAT must be {', '.join(FORMATS)}, not `{style}`.")
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    is_for_people = style == "console" or (style == "auto" and sys.stderr.isatty())
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": _console(sys.stderr.isatty()) if is_for_people else _JSON,
        "foreign_pre_chain": [*_SHARED, _id_of_request],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": formatter},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        # It binds the ids. A line a request or task is noise beside the jobs' own lines, and what fails has a
        # line of Django's or Celery's already.
        "loggers": {"django_structlog": {"level": "CRITICAL"}},
    }


def keep_ids(*, context: dict[str, Any], **_: Any) -> None:
    """Of what a message would take along, leave the ids: a task binds what else concerns it by itself."""
    for name in context.keys() - {"request_id", "parent_task_id"}:
        del context[name]


def _console(colours: bool) -> list[Any]:
    return [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.dev.ConsoleRenderer(
            colors=colours, exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
        ),
    ]


def report_to_sentry(dsn: str, *, environment: str, release: str) -> None:
    """Have errors reported to Sentry, without personal data; nothing where `dsn` is blank.

    Raises ImproperlyConfigured where the package is missing: who asks for reports must not go without them
    unawares.
    """
    if not dsn:
        return
    if find_spec("sentry_sdk") is None:
        raise ImproperlyConfigured(
            "SENTRY_DSN is set, and the package sentry-sdk is not installed, as it is not part of"
            " requirements.txt. Install it: `pip install sentry-sdk`. Or leave SENTRY_DSN blank."
        )
    import sentry_sdk  # type: ignore[import-not-found,unused-ignore]

    sentry_sdk.init(
        dsn=dsn,
        environment=environment or None,
        release=release or None,
        send_default_pii=False,
        include_local_variables=False,  # rows of files and customers' data are in them
        max_request_body_size="never",
    )
