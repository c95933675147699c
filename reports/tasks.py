"""Doormen: each names what does the work. Losing a tick of beat's is harmless: the next does the same."""

from __future__ import annotations

from celery import shared_task

from reports import rolling
from tasks.claiming import Claim
from tasks.registry import handles


@handles(rolling.KIND, queue="reports")
def roll(claim: Claim) -> None:
    """Sum up days that are over, and those that changed since."""
    rolling.roll(claim)


@shared_task(name="reports.look", queue="default", ignore_result=True)
def look() -> None:
    """Beat's tick: see to it that days are summed up."""
    rolling.look()
