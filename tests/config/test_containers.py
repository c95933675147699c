"""docker-compose.yml says the same as Procfile and settings. That it runs, `make containers` shows."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from config.supervisor import read_procfile
from tests.config.test_operations_document import table

ROOT = settings.BASE_DIR
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: one for name, one in SERVICES.items() if one["image"].startswith("tallyman:")}
WORKERS = [name for name in OURS if name.startswith("worker")]
PROCFILE = read_procfile(ROOT / "Procfile")


def filled_in(command: str, environment: dict[str, str]) -> list[str]:
    """Words of a command, its variables as `environment` has them, or by their defaults."""

    def value(match: re.Match[str]) -> str:
        return environment.get(match["name"], match["default"] or "")

    return re.sub(r"\$\{?(?P<name>\w+)(?::-(?P<default>[^}]*)\})?", value, command).split()


def without_choices(words: list[str]) -> list[str]:
    """A worker's command but for what each group of workers has of its own."""
    for option in ("--queues", "--concurrency"):
        at = words.index(option)
        words = words[:at] + words[at + 2 :]
    return words


def queues(words: list[str]) -> list[str]:
    return words[words.index("--queues") + 1].split(",")


def test_containers_are_the_processes_of_the_procfile() -> None:
    assert OURS.keys() == PROCFILE.keys() | set(WORKERS)


@pytest.mark.parametrize("name", OURS)
def test_container_runs_the_command_of_the_procfile(name: str) -> None:
    given = {key: str(value) for key, value in OURS[name]["environment"].items()}
    # Compose itself fills in, before there is a container: defaults are all that it has.
    words = filled_in(OURS[name]["command"], {})

    if name in WORKERS:
        assert without_choices(words) == without_choices(filled_in(PROCFILE["worker"], given))
    else:
        assert words == filled_in(PROCFILE[name], given)


def test_every_queue_is_served_by_one_group_of_workers() -> None:
    served = [queue for name in WORKERS for queue in queues(filled_in(OURS[name]["command"], {}))]

    assert sorted(served) == sorted(queue.name for queue in settings.CELERY_TASK_QUEUES)


def test_image_of_the_dockerfile_is_the_one_that_all_processes_run() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    [command] = re.findall(r'^CMD \["sh", "-c", "exec (.*)"\]$', dockerfile, re.MULTILINE)
    python = (ROOT / ".python-version").read_text().strip()

    assert len({(one["image"], one["build"]) for one in OURS.values()}) == 1
    assert set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)) == {f"python:{python}-slim"}
    environment = {"HOST": "0.0.0.0", "PORT": "8000"}
    assert filled_in(command, environment) == filled_in(PROCFILE["web"], environment)


def test_variables_are_those_of_the_document() -> None:
    passed = {name for one in OURS.values() for name in one["environment"]}
    asked = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    written = set(re.findall(r"^([A-Z_]+)=", (ROOT / "deploy" / "make_env").read_text(), re.MULTILINE))

    assert passed | asked | written <= table().keys()


def test_defaults_in_the_document_are_those_of_compose() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    given = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", text))
    of_compose = {"POSTGRES_SHARED_BUFFERS", "PUBLISH", "PUBLISH_MAIL", "TALLYMAN_TAG"}

    assert {name: given[name] for name in of_compose} == {name: table()[name] for name in of_compose}


@pytest.mark.parametrize("name", SERVICES)
def test_container_is_confined_and_looked_after(name: str) -> None:
    one = SERVICES[name]

    assert ":" in one["image"]
    assert "no-new-privileges:true" in one["security_opt"]
    assert all(str(port).startswith("${PUBLISH") for port in one.get("ports", []))
    if name != "release":
        assert one["restart"] == "unless-stopped"
        assert one["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    if name != "postgres":  # whose image begins as root, to own its files
        assert (one["read_only"], one["cap_drop"]) == (True, ["ALL"])


def test_workers_have_the_time_for_a_soft_shutdown() -> None:
    patience = settings.CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT

    assert [one for one in WORKERS if int(OURS[one]["stop_grace_period"].rstrip("s")) < 2 * patience] == []


def test_nginx_takes_what_an_import_may_have_and_little_else() -> None:
    conf = (ROOT / "deploy" / "nginx" / "nginx.conf").read_text()
    everywhere, uploads = (int(megabytes) << 20 for megabytes in re.findall(r"max_body_size (\d+)m;", conf))

    assert "location = /admin/imports/importrun/add/ {" in conf
    assert everywhere < 100 << 20
    assert settings.IMPORT_MAX_BYTES < uploads < settings.IMPORT_MAX_BYTES + (10 << 20)


def make_env(folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and words of `deploy/make_env` in a checkout at this folder."""
    (folder / "deploy").mkdir(exist_ok=True)
    script = folder / "deploy" / "make_env"
    script.write_text((ROOT / "deploy" / "make_env").read_text())
    done = subprocess.run(["sh", script, *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_make_env_writes_secrets_once(tmp_path: Path) -> None:
    assert make_env(tmp_path, "https://shop.example/")[0] == 0
    env = (tmp_path / ".env").read_text()
    values = dict(re.findall(r"^([A-Z_]+)=(.*)$", env, re.MULTILINE))

    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    assert values["SITE_URL"] == "https://shop.example"
    assert values["ALLOWED_HOSTS"] == "shop.example,127.0.0.1,localhost"
    assert values["TRUSTED_PROXY_COUNT"] == "2"
    secrets = [values[name] for name in ("SECRET_KEY", "POSTGRES_PASSWORD", "VALKEY_PASSWORD")]
    assert len(set(secrets)) == 3
    assert all(re.fullmatch("[A-Za-z0-9]{40,}", one) for one in secrets)

    code, words = make_env(tmp_path)
    assert (code, "is there already" in words) == (1, True)
    assert (tmp_path / ".env").read_text() == env


def test_make_env_refuses_what_is_no_address(tmp_path: Path) -> None:
    code, words = make_env(tmp_path, "shop.example")

    assert (code, "no address" in words, (tmp_path / ".env").exists()) == (2, True, False)


def test_stand_ins_are_made_of_all_images_that_are_pulled() -> None:
    script = (ROOT / "tests" / "containers" / "make_stand_ins").read_text()
    pulled = {one["image"] for name, one in SERVICES.items() if name not in OURS}
    pulled |= set(re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE))

    assert set(re.findall(r"^if wanted (\S+); then$", script, re.MULTILINE)) == pulled
