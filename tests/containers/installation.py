"""Tallyman in containers, as an operator and a check handle it: Compose, docker, SQL."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

_HEALTHY_SECONDS = 240.0
_POLL_SECONDS = 0.2


class CheckError(Exception):
    """Something is not as it should be; the message says what."""


def say(text: str, *, mark: str = "✓") -> None:
    """A line for whoever watches."""
    print(f"{mark} {text}", flush=True)


@dataclass
class Installation:
    """One Compose project: `command` is Compose, run in `folder`. Visitors come to `url`."""

    folder: Path
    command: list[str]
    project: str
    url: str
    mail_url: str
    environment: dict[str, str]

    def compose(self, *arguments: str, stdin: str | None = None) -> str:
        """Its output; raises CheckError with all it said when it fails."""
        return self._run([*self.command, *arguments], stdin)

    def docker(self, *arguments: str) -> str:
        """The same of docker."""
        return self._run(["docker", *arguments], None)

    def attempt(self, *arguments: str) -> str:
        """What docker says, on either stream, of something that may fail."""
        done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def shell(self, script: str) -> None:
        """Run commands of the documents, with whichever Compose this is."""
        self._run(["sh", "-eux", "-c", script.replace("docker-compose", " ".join(self.command))], None)

    def manage(self, *arguments: str, stdin: str | None = None) -> str:
        """manage.py in the container of the web server."""
        return self.compose("exec", "-T", "web", "python", "manage.py", *arguments, stdin=stdin)

    def timed(self, *arguments: str) -> float:
        """Seconds that Compose takes for it."""
        began = time.monotonic()
        self.compose(*arguments)
        return time.monotonic() - began

    def _run(self, command: list[str], stdin: str | None) -> str:
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment | {"COMPOSE_PROJECT_NAME": self.project},
            capture_output=True, text=True, check=False,
            **({"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}),
        )  # fmt: skip
        if done.returncode:
            told = (done.stdout + done.stderr)[-3000:]
            raise CheckError(f"`{' '.join(command)[:300]}` ended with {done.returncode}:\n{told}")
        return done.stdout

    # --- Containers ----------------------------------------------------------------------------------------

    def services(self) -> list[str]:
        """All that the file names, those included that run once."""
        return sorted(self.compose("config", "--services").split())

    def containers(self, service: str) -> list[str]:
        """Ids of those that run."""
        filters = [
            f"label=com.docker.compose.project={self.project}",
            f"label=com.docker.compose.service={service}",
        ]
        return self.docker("ps", "--quiet", *(word for one in filters for word in ("--filter", one))).split()

    def container(self, service: str) -> str:
        """The id of one; raises CheckError when there is none."""
        found = self.containers(service)
        if not found:
            raise CheckError(f"No container of {service} runs.")
        return found[0]

    def inspect(self, container: str, template: str) -> str:
        """A detail of a container, by Docker's template."""
        return self.docker("inspect", "--format", f"{{{{{template}}}}}", container).strip()

    def image(self, service: str) -> str:
        """The id of what it runs."""
        return self.inspect(self.container(service), ".Image")

    def hostname(self, container: str) -> str:
        """By which its processes call their machine."""
        return self.inspect(container, ".Config.Hostname")

    def names(self) -> list[str]:
        """Celery's names of the workers."""
        services = [name for name in self.services() if name.startswith("worker")]
        ids = [one for service in services for one in self.containers(service)]
        return [f"celery@{self.hostname(one)}" for one in ids]

    def started(self, service: str) -> float:
        """When its container last started, in seconds since 1970."""
        text = self.inspect(self.container(service), ".State.StartedAt")
        return datetime.fromisoformat(text[:26].rstrip("Z") + "+00:00").timestamp()

    def wait_healthy(self) -> None:
        """Until each service has as many healthy containers as it has; the release has ended well."""
        running = [one for one in self.services() if one != "release"]
        self.until(lambda: not self._unwell(running), "all are healthy", _HEALTHY_SECONDS, self._told)
        ended = self.docker(
            "ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={self.project}",
            "--filter", "label=com.docker.compose.service=release", "--filter", "exited=0",
        )  # fmt: skip
        if not ended:
            raise CheckError(
                f"The release did not end well.\n{self.compose('logs', '--tail', '50', 'release')}"
            )

    def _unwell(self, services: list[str]) -> list[str]:
        found = {service: self.containers(service) for service in services}
        health = {one: self.inspect(one, ".State.Health.Status") for ids in found.values() for one in ids}
        return [name for name, ids in found.items() if not ids or {health[one] for one in ids} != {"healthy"}]

    def _told(self) -> str:
        return self.compose("ps", "--all")

    def until(
        self, is_so: Callable[[], bool], what: str, seconds: float, told: Callable[[], str] = lambda: ""
    ) -> None:
        """Wait until it is so; raises CheckError when it takes longer. What can't answer is asked again."""
        deadline = time.monotonic() + seconds
        why = ""
        while time.monotonic() < deadline:
            try:
                if is_so():
                    return
            except CheckError as failed:
                why = str(failed)
            time.sleep(_POLL_SECONDS)
        raise CheckError(f"After {seconds:.0f} s still not: {what}. {why}\n{told()}")

    # --- PostgreSQL ----------------------------------------------------------------------------------------

    def rows(self, query: str) -> list[list[str]]:
        """What PostgreSQL answers, as text."""
        answer = self.docker(
            "exec", self.container("postgres"), "psql", "--username=tallyman", "--dbname=tallyman",
            "--no-align", "--tuples-only", "--field-separator=\x1f", "--record-separator=\x1e",
            "--command", query,
        )  # fmt: skip
        return [line.rstrip("\n").split("\x1f") for line in answer.split("\x1e") if line.strip("\n")]

    def number(self, query: str) -> int:
        """Its only figure."""
        return int(self.rows(query)[0][0])
