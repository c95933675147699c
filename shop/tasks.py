"""Doormen: each names what does the work."""

from __future__ import annotations

from celery import shared_task

from shop import indexing
from tasks.claiming import Claim
from tasks.registry import handles


@handles(indexing.KIND, queue="default")
def index(claim: Claim) -> None:
    """Write the search documents that are stale; where much is left, another job goes on."""
    indexing.index(claim)


@shared_task(name="shop.find_stale", queue="default", ignore_result=True)
def find_stale() -> None:
    """Beat's tick: look through all products for what no one told of. Losing one is harmless."""
    indexing.look_through()
