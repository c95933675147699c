"""Handlers by kind: which function does which job, on which queue.

A handler takes a `Claim`, does its work and writes its effects in a transaction that ends with
`claiming.complete(claim)`. Registering one makes a Celery task of the same name, so that Flower and the
task history show `imports.stage` and not a generic runner.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from celery import shared_task

from tasks.claiming import Claim

type Work = Callable[[Claim], None]


@dataclass(frozen=True, slots=True)
class Handler:
    """How a kind of job is run; `on_dead` is told, in the burying transaction, when it gave up for good."""

    kind: str
    queue: str
    work: Work
    max_attempts: int
    on_dead: Callable[[Claim, str], None] | None


_handlers: dict[str, Handler] = {}


def handles(
    kind: str, *, queue: str, max_attempts: int = 10, on_dead: Callable[[Claim, str], None] | None = None
) -> Callable[[Work], Work]:
    """Register the decorated function for `kind` and make its Celery task."""

    def register(work: Work) -> Work:
        _handlers[kind] = Handler(kind, queue, work, max_attempts, on_dead)

        def look_at(self: Any, *, job_id: int, **_: Any) -> str:
            from tasks.running import run

            return run(job_id=job_id, task=self)

        look_at.__doc__ = work.__doc__
        shared_task(bind=True, name=kind, queue=queue)(look_at)
        return work

    return register


def handler_for(kind: str) -> Handler:
    """Return the handler of `kind`; raises LookupError for a kind that this release does not know."""
    try:
        return _handlers[kind]
    except KeyError:
        raise LookupError(f"No handler for jobs of kind {kind!r}; is this worker an older release?") from None


def knows(kind: str) -> bool:
    """Whether this release has a handler for `kind`."""
    return kind in _handlers


def kinds() -> list[str]:
    """All registered kinds, sorted."""
    return sorted(_handlers)
