"""What other apps announce becomes rows of the outbox, in the transaction of the event itself."""

from __future__ import annotations

from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth import get_user_model

from imports.models import ImportRun
from imports.signals import import_finished
from notifications import messages, outbox

log = structlog.get_logger(__name__)


def connect() -> None:
    """Listen to the signals of the other apps; called once, when Django is ready."""
    import_finished.connect(_import_finished, dispatch_uid="notifications.import_finished")


def _import_finished(*, run: ImportRun, **_: Any) -> None:
    # The sender's copy may hold database expressions instead of the final times and counters.
    run = ImportRun.objects.select_related("owner").get(pk=run.pk)
    outbox.write(
        kind="import_finished",
        event=f"{run.subject}/{run.state}",
        about=run.subject,
        recipients=import_recipients(run),
        content=_rendered(run),
    )


def import_recipients(run: ImportRun) -> list[str]:
    """Whom to tell of an import: its owner; else IMPORT_MAIL_TO, the superusers, the shop's own address."""
    if run.owner is not None and run.owner.is_active and run.owner.email:
        return [run.owner.email]
    if settings.IMPORT_MAIL_TO:
        return list(settings.IMPORT_MAIL_TO)
    superusers = get_user_model().objects.filter(is_active=True, is_superuser=True).exclude(email="")
    return sorted(superusers.values_list("email", flat=True)) or [settings.SHOP_EMAIL]


def _rendered(run: ImportRun) -> messages.Rendered:
    try:
        return messages.import_finished(run)
    except Exception:  # whatever is wrong with a template, an import must not fail for its mail
        log.exception("the mail of an import could not be rendered, sending a plain one", run=run.pk)
        return messages.import_finished_plain(run)
