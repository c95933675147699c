"""What other apps announce becomes rows of the outbox, in the transaction of the event itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import DatabaseError

from imports import blast_radius
from imports.models import ImportRun
from imports.signals import import_finished, import_needs_second
from notifications import messages, outbox

log = structlog.get_logger(__name__)


def connect() -> None:
    """Listen to the signals of the other apps; called once, when Django is ready."""
    import_finished.connect(_import_finished, dispatch_uid="notifications.import_finished")
    import_needs_second.connect(_import_needs_second, dispatch_uid="notifications.import_needs_second")


def _import_finished(*, run: ImportRun, **_: Any) -> None:
    # The sender's copy may hold database expressions instead of the final times and counters.
    run = ImportRun.objects.select_related("owner").get(pk=run.pk)
    outbox.write(
        kind="import_finished",
        event=f"{run.subject}/{run.state}",
        about=run.subject,
        recipients=import_recipients(run),
        content=_safely(run, messages.import_finished, messages.import_finished_plain),
    )


def _import_needs_second(*, run: ImportRun, **_: Any) -> None:
    """To all who may approve it but its owner: the first who has time looks at it."""
    people = blast_radius.approvers().exclude(email="").exclude(pk=run.owner_id)
    outbox.write(
        kind="import_second_person",
        event=f"{run.subject}/second_person",
        about=run.subject,
        recipients=people.values_list("email", flat=True),
        content=_safely(run, messages.import_second_person, messages.import_second_person_plain),
    )


def import_recipients(run: ImportRun) -> list[str]:
    """Whom to tell of an import: its owner; else IMPORT_MAIL_TO, the superusers, the shop's own address."""
    if run.owner is not None and run.owner.is_active and run.owner.email:
        return [run.owner.email]
    return list(settings.IMPORT_MAIL_TO) or staff_addresses()


def staff_addresses() -> list[str]:
    """Of the superusers, or else the shop's own."""
    superusers = get_user_model().objects.filter(is_active=True, is_superuser=True).exclude(email="")
    return sorted(superusers.values_list("email", flat=True)) or [settings.SHOP_EMAIL]


def _safely(
    run: ImportRun,
    rendered: Callable[[ImportRun], messages.Rendered],
    plain: Callable[[ImportRun], messages.Rendered],
) -> messages.Rendered:
    try:
        return rendered(run)
    except DatabaseError:  # the transaction is lost, and the pipeline begins it again
        raise
    except Exception:  # whatever is wrong with a template, an import must not fail for its mail
        log.exception("the mail of an import could not be rendered, sending a plain one", run=run.pk)
        return plain(run)
