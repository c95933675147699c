"""What monitoring is told of imports and mails, which it knows nothing of: config wires them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.conf import settings
from django.db.models import Count, F, Sum
from django.utils import timezone

from imports.models import ImportRun
from imports.models.counted import OUTCOMES
from imports.progress import progress_of
from monitoring import health, metrics
from monitoring.health import Check, Finding
from monitoring.metrics import Family
from notifications import transport
from notifications.models import Circuit, Message

_NEWEST = 5_000  # mails whose states are counted: all of them are millions, and no index has their states


def connect() -> None:
    """Add them; called once, when Django is ready."""
    health.register(Check("mail", mail, "mail-provider-down", is_for_readiness=False))
    metrics.register(of_imports)
    metrics.register(of_mails)


def mail() -> Iterator[Finding]:
    """Whether the mail provider takes mails."""
    provider = transport.provider()
    failing = Circuit.objects.filter(provider=provider, failures__gte=settings.MAIL_FAILURES).first()
    waiting, _ = _waiting()
    if failing is None:
        yield Finding("mail", True, f"{waiting:,} waiting")
        return
    since = failing.failing_since or timezone.now()
    minutes = (timezone.now() - since).total_seconds() / 60
    figure = f"{provider} fails since {minutes:,.0f} min, {waiting:,} waiting"
    remedy = f"Mend it, or EMAIL_URL; the mails go out by themselves then. It says: {failing.error[:200]}"
    yield Finding("mail", False, figure, remedy)


def of_imports() -> Iterable[Family]:
    """How much was imported, and how fast it goes now."""
    counted = [outcome for outcome in OUTCOMES if outcome != "pending"]  # which only shrinks
    imports = ImportRun.objects.filter(kind=ImportRun.Kind.IMPORT).order_by()
    sums = imports.aggregate(**{outcome: Sum(F(outcome), default=0) for outcome in counted})
    rows = [([outcome], float(sums[outcome])) for outcome in counted]
    yield Family("tallyman_import_rows", "Rows of imports by outcome.", rows, ["outcome"], "counter")
    unfinished = imports.exclude(state__in=ImportRun.ENDED)
    states = unfinished.values_list("state").annotate(Count("pk"))
    by_state = [([state], float(count)) for state, count in states]
    yield Family("tallyman_imports", "Imports that have not ended, by state.", by_state, ["state"])
    active = [run for run in unfinished if run.is_active]
    speed = float(sum(progress_of(run).rows_per_second for run in active))
    yield Family("tallyman_import_rows_per_second", "Of the imports at work.", [((), speed)])


def of_mails() -> Iterable[Family]:
    """What waits, what became of the newest, and how the provider does."""
    waiting, oldest = _waiting()
    yield Family("tallyman_mails_waiting", "Mails that are yet to be sent.", [((), float(waiting))])
    yield Family("tallyman_mails_oldest_due_seconds", "How long the oldest has been due.", [((), oldest)])
    newest = Message.objects.order_by("-pk").values("state")[:_NEWEST]
    counts = dict.fromkeys(Message.State.values, 0)
    for row in newest:
        counts[row["state"]] += 1
    by_state = [([state], float(count)) for state, count in counts.items()]
    yield Family("tallyman_mails_newest", f"The newest {_NEWEST:,} mails by state.", by_state, ["state"])
    circuits = Circuit.objects.filter(provider=transport.provider())
    failures = float(sum(circuits.values_list("failures", flat=True)))
    told = "Connections to the mail provider that failed in a row."
    yield Family("tallyman_mail_provider_failures", told, [((), failures)])


def _waiting() -> tuple[int, float]:
    """How many mails, and how many seconds the oldest has been due."""
    due = Message.objects.filter(due_at__isnull=False, state__in=Message.PENDING).order_by()
    oldest = Message.objects.filter(due_at__isnull=False).order_by("due_at", "pk").first()
    age = (timezone.now() - oldest.due_at).total_seconds() if oldest and oldest.due_at else 0.0
    return due.count(), max(0.0, age)
