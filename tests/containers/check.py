"""docker-compose.yml on a real Docker Engine, from a clean state to a restored backup: `make containers`.

Takes a copy of this checkout to a folder of its own, makes its .env as an operator would, and runs it as a
project of its own beside whatever else there is. Each step says what it saw; the first that fails ends the
check, and leaves the containers for a look (`--keep` leaves them anyway). Needs a Docker Engine, Compose and
Python; where no registry can be reached, tests/containers/make_stand_ins makes the images it starts from.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.containers.installation import CheckError, Installation, say
from tests.containers.visitor import Visitor

ROOT = Path(__file__).resolve().parents[2]
_PASSWORD = "correct horse battery staple"
_OUTCOMES = (
    "created", "updated", "unchanged", "removed", "merged", "skipped", "superseded", "rejected", "pending",
)  # fmt: skip
_ENDED = ("completed", "failed", "cancelled")
_BROKEN_PERCENT = 0.5
_OURS = ("web", "worker", "worker-search", "worker-other", "beat", "flower")
# What stops in the middle of an import, each by itself.
_RESTARTED = (
    "postgres",
    "valkey",
    "web",
    "worker",
    "worker-search",
    "worker-other",
    "beat",
    "flower",
    "nginx",
    "mail",
)
_PEOPLE = f"""
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
User.objects.create_superuser("chief", "chief@example.com", {_PASSWORD!r})
User.objects.create_user("clerk", "clerk@example.com", {_PASSWORD!r}, is_staff=True)
customer = User.objects.create_user("customer", "customer@example.com", {_PASSWORD!r})
EmailAddress.objects.create(user=customer, email=customer.email, verified=True, primary=True)
"""


def start(shop: Installation, rows: int) -> None:
    """From nothing to all healthy."""
    shop.compose("build", "release")
    seconds = shop.timed("up", "--detach")
    shop.wait_healthy()
    say(f"up from a clean state ({seconds:.0f} s), all healthy: {', '.join(shop.services())}")
    shop.manage("shell", "--verbosity", "0", stdin=_PEOPLE)


def no_root(shop: Installation, rows: int) -> None:
    """Nobody is root, and nothing but the volumes can be written."""
    for service in (*_OURS, "nginx"):
        user = shop.docker("exec", shop.container(service), "id", "-u").strip()
        tried = shop.attempt("exec", shop.container(service), "touch", "/x")
        if user == "0" or "Read-only file system" not in tried:
            raise CheckError(f"{service} runs as user {user}, and touch /x says: {tried}")
    size = int(shop.docker("image", "inspect", "--format", "{{.Size}}", shop.image("web")))
    same = {shop.image(service) for service in _OURS}
    if len(same) != 1:
        raise CheckError(f"There should be one image, not {same}.")
    say(f"no root, root filesystems read-only, one image of {size / 1e6:,.0f} MB")


def import_through_nginx(shop: Installation, rows: int) -> None:
    """A member of staff uploads a file in the admin, and every row has its outcome."""
    before = shop.number("SELECT count(*) FROM shop_product")
    run = _upload(shop, rows, seed=1)
    told = _ended(shop, run, rows)
    made = shop.number("SELECT count(*) FROM shop_product") - before
    if made != told["created"]:
        raise CheckError(f"Import {run} says {told['created']} created, but there are {made} more products.")
    say(f"import {run} of {rows:,} rows, uploaded through nginx: {_words(told)}")


def share(shop: Installation, rows: int) -> None:
    """Three containers of workers do one import."""
    shop.compose("up", "--detach", "--scale", "worker=3")
    shop.wait_healthy()
    run = _upload(shop, rows * 3, seed=2)
    told = _ended(shop, run, rows * 3)
    hosts = {f"celery@{shop.hostname(one)}" for one in shop.containers("worker")}
    done = dict(shop.rows(
        "SELECT worker, count(*) FROM tasks_job "
        f"WHERE subject = 'import/{run}' AND queue = 'imports' AND state = 'done' GROUP BY worker"
    ))  # fmt: skip
    shared = ", ".join(f"{worker} {count}" for worker, count in sorted(done.items()))
    if done.keys() != hosts or len(hosts) != 3:
        raise CheckError(f"The workers are {hosts}, but the jobs of import {run} were done by: {shared}")
    say(f"import {run} of {rows * 3:,} rows shared by three workers, in jobs: {shared}; {_words(told)}")
    shop.compose("up", "--detach", "--scale", "worker=1")
    shop.wait_healthy()


def flower(shop: Installation, rows: int) -> None:
    """Who sees Flower: staff, and nobody else."""
    stranger, customer, clerk = (Visitor(shop.url) for _ in range(3))
    page = customer.get("/account/login/")
    customer.submit(page, "login", login="customer@example.com", password=_PASSWORD)
    if "/login/" in customer.get("/account/").url:
        raise CheckError("The customer could not log in.")
    _log_in(clerk, "clerk")
    for who, expected in ((stranger, 401), (customer, 401), (clerk, 200)):
        answered = [who.get(path, Accept="*/*").status for path in ("/flower/api/workers", "/flower/metrics")]
        if answered != [expected] * 2:
            raise CheckError(f"Flower's API and metrics answer {answered} instead of {expected}.")
    for who, name in ((stranger, "nobody"), (customer, "customer")):
        page = who.get("/flower/")
        if not page.url.startswith(f"{shop.url}/admin/login/") and page.status != 403:
            raise CheckError(f"Flower leads {name} to {page.url} ({page.status}) instead of the login.")
    page = clerk.get("/flower/")
    if (page.url, page.status) != (f"{shop.url}/flower/", 200) or "Flower" not in page.text:
        raise CheckError(f"Flower leads staff to {page.url} ({page.status}).")
    workers = shop.names()
    shop.until(
        lambda: not [name for name in workers if name not in clerk.get("/flower/").text],
        f"Flower's page lists the workers {workers}", 60,
    )  # fmt: skip
    say(f"Flower: login for strangers and customers (API 401), 200 for staff, who see {len(workers)} workers")


def restarts(shop: Installation, rows: int) -> None:
    """Each service restarts while an import is at work; none of them costs a row."""
    seed = itertools.count(3)
    for service in _RESTARTED:
        size = rows
        while not _restart_amid_import(shop, service, size, seed=next(seed)):
            size *= 2
            if size > 32 * rows:
                raise CheckError(f"Even imports of {size // 2:,} rows end before {service} is up again.")
    say(f"{_adds_up(shop)} {_all_mails_arrived(shop)}")


def _restart_amid_import(shop: Installation, service: str, rows: int, *, seed: int) -> bool:
    """Restart the service while an import writes; False when the import was too quick for that."""
    run = _upload(shop, rows, seed=seed)
    done = f"SELECT count(*) FROM tasks_job WHERE subject = 'import/{run}' AND state = 'done'"
    shop.until(lambda: shop.number(done) >= 2, f"import {run} is at work", 120)
    [[state]] = shop.rows(f"SELECT state FROM imports_importrun WHERE id = {run}")
    seconds = shop.timed("restart", service)
    told = _ended(shop, run, rows)
    [[finished]] = shop.rows(
        f"SELECT extract(epoch FROM finished_at) FROM imports_importrun WHERE id = {run}"
    )
    was_amid = state not in _ENDED and float(finished) > shop.started(service)
    shop.wait_healthy()
    if was_amid:
        say(f"{service} restarted in {seconds:.0f} s ({state}): import {run}: {_words(told)}")
    return was_amid


def backup_and_restore(shop: Installation, rows: int) -> None:
    """By the commands of docs/operations.md: back up, lose everything, restore."""
    shop.manage("make_sales", "2000", "--days", "30")
    # The search may be behind: it changes none of the figures, and what it was at goes on after the restore.
    unfinished = (
        "SELECT count(*) FROM tasks_job WHERE state IN ('queued', 'running', 'held') AND queue <> 'search'"
    )
    shop.until(lambda: shop.number(unfinished) == 0, "all jobs but the search's are done", 300)
    before = _figures(shop)
    backup, restore = _commands("With containers")
    shop.shell(backup)
    shop.compose("down", "--volumes")
    if left := shop.docker("volume", "ls", "--quiet", "--filter", f"name={shop.project}_").split():
        raise CheckError(f"Volumes are left: {left}")
    sizes = {name: (shop.folder / name).stat().st_size for name in ("tallyman.dump", "media.tar.gz")}
    shop.shell(restore)
    shop.wait_healthy()
    after = _figures(shop)
    if different := {name: (before[name], after[name]) for name in before if before[name] != after[name]}:
        raise CheckError(f"Not the same after the restore: {different}")
    told = ", ".join(f"{value} {name}" for name, value in before.items() if name != "sums of files")
    say(f"backup ({sizes}), down --volumes, restore: the same {told} and every file. {_adds_up(shop)}")


def _all_mails_arrived(shop: Installation) -> str:
    waiting = "SELECT count(*) FROM notifications_message WHERE state IN ('queued', 'sending', 'uncertain')"
    shop.until(lambda: shop.number(waiting) == 0, "no mail waits", 180)
    states = dict(shop.rows("SELECT state, count(*) FROM notifications_message GROUP BY state"))
    sent = int(states.get("sent", 0))
    kept = int(json.loads(Visitor(shop.mail_url).get("/api/v1/messages?limit=1").text)["total"])
    if states.keys() != {"sent"} or kept < sent:
        raise CheckError(f"Of the mails, {states}; Mailpit has {kept}.")
    return f"{sent} mails sent, {kept} in Mailpit."


def _figures(shop: Installation) -> dict[str, str]:
    """What must be as before: rows of tables, and every file with its sum."""
    tables = {
        "products": "shop_product", "orders": "shop_order", "imports": "imports_importrun",
        "movements of stock": "shop_stockmovement", "people": "auth_user", "mails": "notifications_message",
    }  # fmt: skip
    found = {name: str(shop.number(f"SELECT count(*) FROM {table}")) for name, table in tables.items()}
    sums = "cd /data/media && find . -type f | sort | xargs -r -d '\\n' sha256sum"
    found["sums of files"] = shop.docker("exec", shop.container("web"), "sh", "-c", sums)
    found["files"] = str(len(found["sums of files"].splitlines()))
    return found


def _commands(title: str) -> list[str]:
    """The shell commands of a section of the document, block by block."""
    text = (ROOT / "docs" / "operations.md").read_text()
    section = re.search(rf"^### {title}\n(.*?)(?=^#)", text, re.M | re.S)
    if section is None:
        raise CheckError(f"docs/operations.md has no section “{title}”.")
    return re.findall(r"```sh\n(.*?)```", section[1], re.S)


def _upload(shop: Installation, rows: int, *, seed: int) -> int:
    """Upload a made catalogue as a person would; returns the import's number once it has begun."""
    content = shop.manage(
        "make_catalog", str(rows), "-", "--seed", str(seed), "--errors", str(_BROKEN_PERCENT)
    ).encode()
    chief = Visitor(shop.url)
    _log_in(chief, "chief")
    page = chief.submit(chief.get("/admin/imports/importrun/add/"), "file", file=content)
    found = re.search(r"/importrun/(\d+)/change/", page.url)
    if found is None:
        raise CheckError(f"The upload led to {page.url} ({page.status}): {page.text[:500]}")
    page = chief.submit(page, "action", press="import")
    if page.status != 200:
        raise CheckError(f"The import could not be started: {page.status} {page.text[:500]}")
    return int(found[1])


def _ended(shop: Installation, run: int, rows: int) -> dict[str, int]:
    """Wait for the import's end; its outcomes, which must be as many as rows."""
    state = f"SELECT state FROM imports_importrun WHERE id = {run}"
    shop.until(lambda: shop.rows(state)[0][0] in _ENDED, f"import {run} ends", 600)
    [told] = shop.rows(f"SELECT state, error, {', '.join(_OUTCOMES)} FROM imports_importrun WHERE id = {run}")
    counts = dict(zip(_OUTCOMES, map(int, told[2:]), strict=True))
    if told[0] != "completed" or sum(counts.values()) != rows or counts["pending"]:
        raise CheckError(f"Import {run} of {rows} rows is {told[0]} with {counts}. {told[1]}")
    return counts


def _adds_up(shop: Installation) -> str:
    return " ".join(shop.manage(command).strip() for command in ("check_stock", "reconcile"))


def _log_in(visitor: Visitor, name: str) -> None:
    visitor.submit(visitor.get("/admin/login/?next=/admin/"), "username", username=name, password=_PASSWORD)


def _words(counts: dict[str, int]) -> str:
    return " + ".join(f"{count:,} {name}" for name, count in counts.items() if count) + (
        f" = {sum(counts.values()):,}"
    )


STEPS: dict[str, Callable[[Installation, int], None]] = {
    "start": start,
    "no-root": no_root,
    "import": import_through_nginx,
    "share": share,
    "flower": flower,
    "restarts": restarts,
    "backup": backup_and_restore,
}


def _compose() -> list[str]:
    """Whichever Compose there is."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if subprocess.run([*command, "version"], capture_output=True, check=False).returncode == 0:
            return command
    sys.exit("There is neither `docker compose` nor `docker-compose`.")


def _checkout(folder: Path, port: int) -> None:
    """A copy of what is, or is about to be, in the repository, with an .env of its own."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    subprocess.run([folder / "deploy" / "make_env", f"http://127.0.0.1:{port}"], check=True)
    with (folder / ".env").open("a") as file:
        file.write(f"PUBLISH=127.0.0.1:{port}\nPUBLISH_MAIL=127.0.0.1:{port + 1}\n")


def main() -> None:
    """Run the steps; exit code 1 at the first that fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.containers.check", description=__doc__)
    parser.add_argument("--compose", type=shlex.split, help="such as 'docker compose' (whichever there is)")
    parser.add_argument("--project", default="tallyman-check", help="(default: %(default)s)")
    parser.add_argument(
        "--port", type=int, default=18_080, help="of nginx; Mailpit's is the next (%(default)s)"
    )
    parser.add_argument("--rows", type=int, default=100_000, help="of the first import (%(default)s)")
    parser.add_argument("--only", nargs="+", choices=STEPS, default=[*STEPS], help="these steps")
    parser.add_argument("--folder", type=Path, help="one that --keep left, for further steps")
    parser.add_argument("--keep", action="store_true", help="leave the containers running")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="tallyman-check-"))
    if options.folder is None:
        _checkout(folder, options.port)
    shop = Installation(
        folder=folder, command=options.compose or _compose(), project=options.project,
        url=f"http://127.0.0.1:{options.port}",
        mail_url=f"http://127.0.0.1:{options.port + 1}", environment=dict(os.environ),
    )  # fmt: skip
    say(f"{shop.compose('version', '--short').strip()} of {' '.join(shop.command)}, in {folder}", mark="·")
    began = time.monotonic()
    if options.folder is None:
        shop.compose("down", "--volumes", "--remove-orphans")
    try:
        for name in options.only:
            STEPS[name](shop, options.rows)
    except CheckError as failed:
        say(str(failed), mark="✗")
        say(
            f"The containers are left for a look: COMPOSE_PROJECT_NAME={options.project}, in {folder}",
            mark="·",
        )
        sys.exit(1)
    say(f"{len(options.only)} steps passed in {time.monotonic() - began:.0f} s", mark="·")
    if not options.keep:
        shop.compose("down", "--volumes")
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
