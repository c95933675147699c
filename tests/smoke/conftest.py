"""The cluster of each smoke test: pytest-celery's fixtures, with a broker, a backend and workers of ours.

Without these, the plugin would run every test against RabbitMQ and Redis in containers, with workers and
tasks of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from celery import Celery
from django.conf import settings
from django.db import connection
from pytest_celery import (
    CeleryBackendCluster,
    CeleryBrokerCluster,
    CeleryTestBackend,
    CeleryTestBroker,
    CeleryTestNode,
    CeleryTestSetup,
    CeleryTestWorker,
    CeleryWorkerCluster,
)

from config.celery import app
from tests.smoke import sites


def pytest_configure(config: pytest.Config) -> None:
    if not config.pluginmanager.has_plugin("pytest_celery.plugin"):
        raise pytest.UsageError("Smoke tests need pytest-celery, which other runs leave out: `make smoke`.")


def pytest_report_header() -> str:
    return f"tests/smoke: nodes are {'containers' if sites.kind() == 'docker' else 'processes'}"


@pytest.fixture(scope="session")
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sites.Site]:
    """Where the nodes of this run live."""
    with sites.opened(request, tmp_path_factory.mktemp("nodes")) as found:
        yield found


@pytest.fixture(scope="session")
def django_db_modify_db_settings(site: sites.Site) -> None:
    """This process asks the backend's PostgreSQL."""
    settings.DATABASES["default"].update(site.database)


class TallymanSetup(CeleryTestSetup):
    """A setup whose app is Tallyman's own, so that jobs are created in this process as in the web's."""

    @classmethod
    def name(cls) -> str:
        return str(app.main)

    @classmethod
    def create_setup_app(cls, celery_setup_config: dict[str, Any], celery_setup_app_name: str) -> Celery:
        for name, value in celery_setup_config.items():
            app.conf[f"CELERY_{name.upper()}"] = value  # by a shorter name, the settings' would win
        app._after_fork()  # type: ignore[attr-defined]  # forgets the connections to the broker before
        app.set_current()  # the plugin has made one of its own
        return app

    @property
    def worker_cluster(self) -> CeleryWorkerCluster:
        assert self._worker_cluster is not None
        return self._worker_cluster

    @property
    def worker(self) -> CeleryTestWorker:
        first = self.worker_cluster[0]
        assert isinstance(first, CeleryTestWorker)
        return first

    @property
    def broker(self) -> CeleryTestBroker:
        assert self._broker_cluster is not None
        first = self._broker_cluster[0]
        assert isinstance(first, CeleryTestBroker)
        return first

    def teardown(self) -> None:
        app.conf["CELERY_BROKER_URL"] = settings.REDIS_URL
        app._after_fork()  # type: ignore[attr-defined]


@pytest.fixture
def celery_setup_cls() -> type[CeleryTestSetup]:
    return TallymanSetup


@pytest.fixture
def celery_backend_cluster(transactional_db: None, site: sites.Site) -> Iterator[CeleryBackendCluster]:
    """PostgreSQL, where django-celery-results keeps what came of tasks; the database is the test's."""
    node = CeleryTestBackend(_as_plugin_asks(site.postgres))
    node.ready()
    yield CeleryBackendCluster(node)
    node.teardown()


@pytest.fixture
def celery_broker_cluster(site: sites.Site) -> Iterator[CeleryBrokerCluster]:
    """Valkey, empty."""
    node = CeleryTestBroker(_as_plugin_asks(site.valkey))
    node.ready()
    with redis.Redis.from_url(node.config()["host_url"]) as broker:
        broker.flushall()
    yield CeleryBrokerCluster(node)
    node.teardown()


@pytest.fixture
def concurrencies() -> tuple[int, ...]:
    """How many children each of the test's workers has; parametrize it for others."""
    return (2,)


@pytest.fixture
def celery_worker_cluster(
    site: sites.Site,
    concurrencies: tuple[int, ...],
    celery_setup_app: Celery,
) -> Iterator[CeleryWorkerCluster]:
    """Workers of all queues, ready to work."""
    containers = [
        site.launch("worker", [f"--concurrency={many}"], database=_name()) for many in concurrencies
    ]
    cluster = CeleryWorkerCluster(
        *[CeleryTestWorker(_as_plugin_asks(one), celery_setup_app) for one in containers]
    )
    cluster.ready()
    yield cluster
    for worker in cluster:
        _end(worker)


@pytest.fixture
def beat(site: sites.Site, celery_setup_app: Celery) -> Iterator[CeleryTestNode]:
    """Celery beat, whose sweeps find what was lost."""
    node = CeleryTestNode(_as_plugin_asks(site.launch("beat", [], database=_name())), celery_setup_app)
    yield node  # ready before anything can be lost for long
    _end(node)


def _as_plugin_asks(container: sites.Container) -> Any:
    """The plugin's types ask for a container of Docker; its nodes do with less."""
    return container


def _name() -> str:
    return str(connection.settings_dict["NAME"])


def _end(node: CeleryTestNode) -> None:
    print(f"--- {node.name()}\n{node.logs()[-8000:]}")  # pytest shows it when the test failed
    node.teardown()
