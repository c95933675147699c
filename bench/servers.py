"""PostgreSQL, Valkey and the mail catcher of one benchmark, with a migrated database and beat beside them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import django
from django.core.management import call_command

from config import embedded
from config.processes import Process, Program
from config.supervisor import read_procfile

BASE_DIR = Path(__file__).resolve().parent.parent
_START_SECONDS = 60.0


@contextmanager
def own_servers(folder: Path) -> Iterator[None]:
    """Everything below `folder`, stopped and removed in the end; Django is set up to use it.

    Raises AlreadyRunningError when another benchmark holds the folder, StartError when one can't start.
    """
    servers = embedded.Servers(folder)
    servers.lock()
    try:
        _remove(folder, keep="up.lock")  # what a killed benchmark left
        servers.start()
        _point_at(folder)
        django.setup()
        call_command("migrate", verbosity=0)
        beat = started("beat", folder, ready="beat: Starting...")
        try:
            yield
        finally:
            beat.stop()
    finally:
        servers.stop()
        _remove(folder)


def started(
    line: str, folder: Path, *arguments: str, ready: str, name: str = "", **variables: str
) -> Process:
    """Run a line of the Procfile with further arguments and variables until its log says `ready`."""
    log = folder / "log" / f"{name or line}.log"
    log.unlink(missing_ok=True)  # an earlier one was ready, too
    command = read_procfile(BASE_DIR / "Procfile")[line]
    process = Process(
        Program(
            name=name or line,
            command=["sh", "-c", f'exec {command} "$@"', line, *arguments],
            directory=BASE_DIR,
            environment={**os.environ, **variables},
            log=log,
            is_ready=lambda pid: ready in log.read_text(errors="replace"),
        )
    )
    process.start()
    try:
        process.wait_ready(_START_SECONDS)
    except BaseException:
        process.kill()
        raise
    return process


def _point_at(folder: Path) -> None:
    """Make ours the servers that the settings find, here and in every process that we start."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "TALLYMAN_DATA_DIR": str(folder),
        # Named one by one: a .env of the checkout may name others.
        "DATABASE_URL": embedded.database_url(folder),
        "REDIS_URL": embedded.broker_url(folder),
        "EMAIL_URL": embedded.mail_url(folder),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }


def _remove(folder: Path, *, keep: str = "") -> None:
    """Remove all below `folder` but `keep`, and the folder itself when nothing is to be kept."""
    database = folder / "postgres"
    if database.is_symlink():  # root's PostgreSQL can't reach every folder; its files are elsewhere then
        elsewhere = database.resolve()
        shutil.rmtree(elsewhere, ignore_errors=True)
        with suppress(OSError):
            elsewhere.parent.rmdir()
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != keep:
            path.unlink()
    if not keep:
        folder.rmdir()
