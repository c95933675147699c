"""All of beat's entries in one place. Beat only ticks: the tables say what is due (docs/adr/0002)."""

from typing import Any

from celery.schedules import schedule


def beat_schedule(
    *, sweep_seconds: float, payment_seconds: float, report_seconds: float
) -> dict[str, dict[str, Any]]:
    """Return Celery's `beat_schedule` setting; `sweep_seconds` is the time between two sweeps of the jobs,
    and of the outbox, `payment_seconds` that between two looks at unfinished payments, `report_seconds` that
    between two looks at the schedules of reports.

    Every entry expires before its next tick, so that ticks never pile up while no worker runs.
    """
    return {
        "tasks: send due jobs, take over lost ones": {
            "task": "tasks.sweep",
            "schedule": schedule(sweep_seconds),
            "options": {"queue": "default", "expires": max(sweep_seconds, 1.0)},
        },
        "notifications: look for mails that nobody delivers": {
            "task": "notifications.look",
            "schedule": schedule(sweep_seconds),
            "options": {"queue": "mail", "expires": max(sweep_seconds, 1.0)},
        },
        "tasks: purge old jobs": {
            "task": "tasks.purge",
            "schedule": schedule(3600.0),
            "options": {"queue": "default", "expires": 3600.0},
        },
        "shop: look for stale search documents": {
            "task": "shop.find_stale",
            "schedule": schedule(900.0),
            "options": {"queue": "default", "expires": 900.0},
        },
        "shop: expire orders that nobody paid": {
            "task": "shop.expire_orders",
            "schedule": schedule(60.0),
            "options": {"queue": "default", "expires": 60.0},
        },
        "shop: finish payments and refunds": {
            "task": "shop.settle_payments",
            "schedule": schedule(payment_seconds),
            "options": {"queue": "mail", "expires": max(payment_seconds, 1.0)},
        },
        "shop: count what was ordered": {
            "task": "shop.count_popularity",
            "schedule": schedule(300.0),
            "options": {"queue": "default", "expires": 300.0},
        },
        "shop: tell who waited that a product is back": {
            "task": "shop.tell_restocked",
            "schedule": schedule(60.0),
            "options": {"queue": "default", "expires": 60.0},
        },
        "shop: remind of carts that were left": {
            "task": "shop.remind_of_carts",
            "schedule": schedule(300.0),
            "options": {"queue": "default", "expires": 300.0},
        },
        "shop: remove subscriptions that nobody confirmed": {
            "task": "shop.purge_subscriptions",
            "schedule": schedule(86_400.0),
            "options": {"queue": "default", "expires": 86_400.0},
        },
        "shop: remove forgotten carts": {
            "task": "shop.purge_carts",
            "schedule": schedule(86_400.0),
            "options": {"queue": "default", "expires": 86_400.0},
        },
        "reports: sum up days that are over": {
            "task": "reports.look",
            "schedule": schedule(300.0),
            "options": {"queue": "default", "expires": 300.0},
        },
        "imports: remove the details of old imports": {
            "task": "imports.purge_old_runs",
            "schedule": schedule(86_400.0),
            "options": {"queue": "default", "expires": 86_400.0},
        },
        "imports: discard drafts that nobody confirmed": {
            "task": "imports.discard_old_drafts",
            "schedule": schedule(3600.0),
            "options": {"queue": "default", "expires": 3600.0},
        },
        "reports: see which are due": {
            "task": "reports.tick",
            "schedule": schedule(report_seconds),
            "options": {"queue": "default", "expires": max(report_seconds, 1.0)},
        },
        "reports: remove the files of old ones": {
            "task": "reports.purge_files",
            "schedule": schedule(86_400.0),
            "options": {"queue": "default", "expires": 86_400.0},
        },
    }
