"""The ticks that beat sends. Losing one is harmless: the next does the same."""

from celery import shared_task

from tasks import sweeping


@shared_task(name="tasks.sweep", queue="default", ignore_result=True)
def sweep() -> dict[str, int]:
    """Send lost hints again and take over the jobs of lost workers."""
    return sweeping.sweep()


@shared_task(name="tasks.purge", queue="default", ignore_result=True)
def purge() -> int:
    """Delete old finished jobs."""
    return sweeping.purge()
