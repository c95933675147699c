"""Make a report: one durable job for each run.

    claim → answer → a file for each format, in storage → the run is done, its mails are written, the job is
    done

An attempt that is killed leaves nothing that counts: the last step is one transaction, which the claim
guards.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now
from django.utils import timezone, translation

from reports import answering, rendering, scheduling
from reports.as_mail import Mail
from reports.models import ReportFile, ReportRun
from reports.results import Answer
from reports.signals import report_ready
from tasks import claiming
from tasks.claiming import Claim, JobFailed

State = ReportRun.State

_PURGED_AT_ONCE = 1_000


class RunEnded(Exception):  # noqa: N818 - an outcome, not a fault
    """The run has failed meanwhile, or another worker was quicker."""


def make(claim: Claim) -> None:
    """Answer the run's question, store its files, and announce it; or nothing is left of the attempt."""
    run = _begun(claim)
    with translation.override(run.asked.language):
        answer = _answer(run)
        if run.skip_if_empty and answer.is_empty:
            return _end_empty(claim, run)
        files = list(_files(claim, run, answer))
        mail = rendering.mail(answer)
    files += _pictures(claim, run, mail)
    try:
        with transaction.atomic():
            _end(run, State.DONE, mailed_at=Now() if run.recipients else None)
            ReportFile.objects.bulk_create(files)
            report_ready.send(sender=ReportRun, run=run, answer=answer, mail=mail)
            claiming.complete(claim)
            # Of attempts that were killed. Later than this, for until now another attempt's may be the run's.
            transaction.on_commit(lambda: _remove_others(run, files), robust=True)
    except (RunEnded, claiming.LeaseLost):
        _remove([str(file.file.name) for file in files])
        raise


def _begun(claim: Claim) -> ReportRun:
    run = ReportRun.objects.get(pk=claim.payload["run"])
    open_ones = ReportRun.objects.filter(pk=run.pk, state__in=ReportRun.OPEN)
    if not open_ones.update(
        state=State.RUNNING, started_at=Coalesce("started_at", Now()), attempts=F("attempts") + 1
    ):
        raise RunEnded(f"{run} has ended")
    return run


def _answer(run: ReportRun) -> Answer:
    try:
        return answering.answer(run.asked)
    except ValueError as error:  # it says in words for people what can't be asked
        raise JobFailed(str(error), permanent=True) from error


def _files(claim: Claim, run: ReportRun, answer: Answer) -> Iterator[ReportFile]:
    """A stored file for each format."""
    formats = [rendering.Format(name) for name in run.formats]
    claim.report(1, 1 + len(formats))
    for done, format in enumerate(formats, 2):
        if any(table.is_stream for table in answer.tables):
            answer = _answer(run)  # what streams is read once
        with tempfile.TemporaryFile() as stream:
            rendering.render(answer, format, stream)
            size = stream.seek(0, 2)
            stream.seek(0)
            name = default_storage.save(f"{run.folder}/{claim.token.hex}.{format.value}", File(stream))
        claim.report(done, 1 + len(formats))
        yield ReportFile(
            run=run, format=format.value, name=rendering.file_name(answer, format),
            mimetype=format.media_type, file=name, size=size,
        )  # fmt: skip


def _pictures(claim: Claim, run: ReportRun, mail: Mail) -> list[ReportFile]:
    """The charts inside the mails, which are put together only when they are sent."""
    return [
        ReportFile(
            run=run, format="png", name=f"{cid}.png", mimetype="image/png", cid=cid, size=len(content),
            file=default_storage.save(f"{run.folder}/{claim.token.hex}-{cid}.png", ContentFile(content)),
        )
        for cid, content in (mail.images.items() if run.recipients else ())
    ]  # fmt: skip


def _end_empty(claim: Claim, run: ReportRun) -> None:
    with transaction.atomic():
        _end(run, State.EMPTY)
        claiming.complete(claim)


def _end(run: ReportRun, state: ReportRun.State, **values: Any) -> None:
    """End the run, and know that its schedule works. Raises RunEnded."""
    mine = ReportRun.objects.filter(pk=run.pk, state=State.RUNNING)
    if not mine.update(state=state, finished_at=Now(), error="", **values):
        raise RunEnded(f"{run} has ended")
    scheduling.succeeded(run)


def _remove_others(run: ReportRun, files: list[ReportFile]) -> None:
    kept = {str(file.file.name) for file in files}
    _remove([name for name in _stored(run) if name not in kept])


def remove_files(run: ReportRun) -> None:
    """Remove all that is stored of a run, also what attempts that were killed have left."""
    _remove(_stored(run))
    if default_storage.exists(run.folder):
        default_storage.delete(run.folder)
    run.files.all().delete()


def _stored(run: ReportRun) -> list[str]:
    if not default_storage.exists(run.folder):
        return []
    return [f"{run.folder}/{name}" for name in default_storage.listdir(run.folder)[1]]


def _remove(names: list[str]) -> None:
    for name in names:
        default_storage.delete(name)


def purge_old(*, older_than: timedelta) -> int:
    """Remove the files of runs that ended so long ago, a thousand runs at a time; returns how many runs. They
    stay in the history."""
    ended = ReportRun.objects.filter(finished_at__lt=timezone.now() - older_than)
    with_files = ended.filter(pk__in=ReportFile.objects.values("run"))
    for run in (old := list(with_files.order_by("finished_at")[:_PURGED_AT_ONCE])):
        remove_files(run)
    return len(old)
