"""Nodes in containers: workers and beat from our Dockerfile, PostgreSQL and Valkey from the images that
docker-compose.yml names, on a network of their own.

TALLYMAN_IMAGE names an image that is built already. Everything that is made here has a name that begins with
`tallyman-smoke-`, and is removed in the end.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import docker
import pytest
import yaml
from django.conf import settings
from docker.models.containers import Container as DockerContainer
from pytest_celery import CONTAINER_TIMEOUT, CeleryTestContainer
from pytest_docker_tools.exceptions import ContainerFailed, TimeoutError
from pytest_docker_tools.utils import wait_for_callable

from tests.smoke.sites import WORKER_NAME
from tests.stack import BASE_DIR, COMMANDS, QUICK, READY

_USER = "tallyman"
_DATA = "/data"  # where containers keep what PostgreSQL does not
_MAIL_PORT = 1025
# What answers on 127.0.0.1 only answers nobody else in a container.
_CATCH = """
from pathlib import Path
from threading import Event
from aiosmtpd.controller import Controller
from config.mailcatcher import Keep
Controller(Keep(Path("{folder}")), hostname="0.0.0.0", port={port}).start()
print("mails are kept", flush=True)
Event().wait()
"""


class EngineContainer(CeleryTestContainer):
    """A container whose log says `prompt` when it can be used."""

    def __init__(self, container: DockerContainer, prompt: str, celeryconfig: dict[str, Any]) -> None:
        super().__init__(container)
        self.ready_prompt, self.celeryconfig = prompt, celeryconfig

    ready_prompt: str = ""
    celeryconfig: dict[str, Any] = {}

    def ready(self) -> bool:
        """Wait until it can be used; fails the test with its log when it can't be."""
        look = super().ready
        try:
            wait_for_callable(f"waiting for {self.name}", look, CONTAINER_TIMEOUT)
        except (ContainerFailed, TimeoutError):
            # As text: when pytest-docker-tools asks an exception's container for its log, it is gone already.
            pytest.fail(f"{self.name} is {self.status}. Its log:\n{self.logs()[-4000:]}", pytrace=False)
        return True

    def teardown(self) -> None:
        self._container.remove(force=True, v=True)

    @classmethod
    def worker_name(cls) -> str:
        return WORKER_NAME


class ServerContainer(EngineContainer):
    """A server of the whole run, which goes on after a test."""

    def teardown(self) -> None:
        self.reload()
        if self.status != "running":
            self.restart()


class Engine:
    """Containers on a network of their own."""

    def __init__(self, folder: Path, ending: ExitStack) -> None:
        self._client = docker.from_env(timeout=120)
        self._prefix = f"tallyman-smoke-{secrets.token_hex(4)}"
        self._ending = ending
        network = self._client.networks.create(self._prefix)
        ending.callback(network.remove)
        self._image = os.environ.get("TALLYMAN_IMAGE") or self._built()
        self._password = secrets.token_hex(16)
        self._data = folder / "data"
        self._data.mkdir()
        self.mails, self.media = self._data / "mail", f"{_DATA}/media"
        Path(settings.MEDIA_ROOT).mkdir(parents=True, exist_ok=True)
        self.postgres, self.valkey = self._start_postgres(), self._start_valkey()
        self._start_mail()

    def _built(self) -> str:
        """The image of our Dockerfile, as it is now."""
        tag = f"{self._prefix}:built"
        done = subprocess.run(
            ["docker", "build", "--tag", tag, str(BASE_DIR)], capture_output=True, text=True
        )
        if done.returncode:
            pytest.fail(f"docker build failed, TALLYMAN_IMAGE may name an image:\n{done.stderr[-4000:]}")
        self._ending.callback(self._client.images.remove, tag, force=True)
        return tag

    def _run(self, name: str, image: str, command: Sequence[str] | None, **options: Any) -> DockerContainer:
        container = self._client.containers.run(
            image,
            command,
            name=f"{self._prefix}-{name}",
            network=self._prefix,
            detach=True,
            **options,
        )
        self._ending.callback(_remove, container)
        return container

    def _start_postgres(self) -> ServerContainer:
        service, port = _service("postgres"), _free_port()
        self.database = {"HOST": "127.0.0.1", "PORT": port, "USER": _USER, "PASSWORD": self._password}
        container = self._run(
            "postgres",
            service["image"],
            None,
            environment={
                "POSTGRES_USER": _USER,
                "POSTGRES_DB": _USER,
                "POSTGRES_PASSWORD": self._password,
                "POSTGRES_INITDB_ARGS": service["environment"]["POSTGRES_INITDB_ARGS"],
            },
            ports={"5432/tcp": ("127.0.0.1", port)},
        )
        found = ServerContainer(
            container, "ready to accept connections", {"url": "django-db", "host_url": "django-db"}
        )
        found.ready()
        return found

    def _start_valkey(self) -> ServerContainer:
        service, port = _service("valkey"), _free_port()  # the same after it was killed and restarted
        container = self._run(
            "valkey",
            service["image"],
            [part.replace("$$", "$") for part in service["command"]],
            user=service["user"],
            environment={"VALKEY_PASSWORD": self._password},
            ports={"6379/tcp": ("127.0.0.1", port)},
        )
        self._broker_url = f"redis://:{self._password}@{self._prefix}-valkey:6379/0"
        host_url = f"redis://:{self._password}@127.0.0.1:{port}/0"
        urls = {"url": self._broker_url, "host_url": host_url}
        found = ServerContainer(container, "Ready to accept connections", urls)
        found.ready()
        return found

    def _start_mail(self) -> None:
        catch = _CATCH.format(folder=f"{_DATA}/mail", port=_MAIL_PORT)
        container = self._run("mail", self._image, ["python", "-c", catch], **self._tallyman("postgres"))
        EngineContainer(container, "mails are kept", {}).ready()

    def launch(self, program: str, arguments: Sequence[str], *, database: str) -> EngineContainer:
        if program == "worker":
            arguments = [*arguments, f"--hostname={WORKER_NAME}@%h"]
        command = ["sh", "-c", f'exec {COMMANDS[program]} "$@"', program, *arguments]
        name = f"{program}-{secrets.token_hex(3)}"
        container = self._run(name, self._image, command, **self._tallyman(database))
        return EngineContainer(container, READY[program], {})

    def _tallyman(self, database: str) -> dict[str, Any]:
        """How our image is run: as the user of the files that it shares with this process."""
        return {
            "user": f"{os.getuid()}:{os.getgid()}",
            "environment": {
                **QUICK,
                "TALLYMAN_DATA_DIR": _DATA,
                "SECRET_KEY": settings.SECRET_KEY,
                "DATABASE_URL": f"postgres://{_USER}:{self._password}@{self._prefix}-postgres:5432/{database}",
                "REDIS_URL": self._broker_url,
                "EMAIL_URL": f"smtp://{self._prefix}-mail:{_MAIL_PORT}",
            },
            "healthcheck": {"test": ["NONE"]},  # the image's is that of the web server
            "init": True,
            "read_only": True,
            "tmpfs": {"/tmp": ""},
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges:true"],
            "volumes": [f"{self._data}:{_DATA}", f"{settings.MEDIA_ROOT}:{self.media}"],
        }


def _service(name: str) -> dict[str, Any]:
    """What docker-compose.yml says of a service."""
    found: dict[str, Any] = yaml.safe_load((BASE_DIR / "docker-compose.yml").read_text())["services"][name]
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _remove(container: DockerContainer) -> None:
    with suppress(docker.errors.NotFound):  # its test has removed it
        container.remove(force=True, v=True)


@contextmanager
def site(folder: Path) -> Iterator[Engine]:
    """The site; its containers, network and image are removed with it."""
    with ExitStack() as ending:
        yield Engine(folder, ending)
