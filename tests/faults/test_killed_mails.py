"""Mails on real processes: workers killed at random, a broker that forgets and dies, a provider that is down.

Each mail arrives once; or twice, with the same Message-ID, and its message says so.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from bench.sink import Sink
from config import embedded
from tests.stack import Stack, copied_stack

_MAILS = 2_000
_KILLS = 4
# In four transactions, as events come; the mails of one are as old as it is.
_WRITE = f"""
from notifications import outbox
from notifications.messages import Rendered
content = Rendered("News", "News\\n" * 40, "<p>News</p>" * 200)
for part in range(4):
    readers = [f"reader-{{part}}-{{at}}@shop.example" for at in range({_MAILS // 4})]
    outbox.write(kind="news", event=f"news/{{part}}", about="news", recipients=readers, content=content)
"""
_LEFT = "SELECT count(*) FROM notifications_message WHERE due_at IS NOT NULL"
_ENDED = "SELECT message_id, state, doubtful_attempts FROM notifications_message ORDER BY id"


@pytest.fixture
def shop(migrated_database: str, valkey: embedded.Servers, tmp_path: Path) -> Iterator[Stack]:
    """A Tallyman whose provider is a port where nobody listens yet; workers have one child each."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with copied_stack(migrated_database, tmp_path) as stack:
        stack.redis_url = stack.environment["REDIS_URL"] = embedded.broker_url(valkey.data_dir)
        stack.environment |= {
            "EMAIL_URL": f"smtp://127.0.0.1:{port}",
            "WORKER_CONCURRENCY": "1",
            "MAIL_PAUSE_SECONDS": "0.5",
            "MAIL_ROUND_SECONDS": "0.5",
            "JOB_LEASE_SECONDS": "2",
        }
        yield stack


@contextmanager
def sinking(stack: Stack) -> Iterator[Sink]:
    """The stack's provider, from now on."""
    sink, loop = Sink(), asyncio.new_event_loop()
    port = int(stack.environment["EMAIL_URL"].rpartition(":")[2])
    server = loop.run_until_complete(sink.serve(port))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield sink
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def write_mails(stack: Stack) -> None:
    done = stack.manage("shell", "-v", "0", "-c", _WRITE)
    assert done.returncode == 0, done.stderr
    assert left(stack) == _MAILS


def left(stack: Stack) -> int:
    return int(stack.sql(_LEFT)[0][0])


def rounds_over(stack: Stack) -> int:
    query = "SELECT count(*) FROM tasks_job WHERE kind = 'notifications.deliver' AND state = 'done'"
    return int(stack.sql(query)[0][0])


def doubts(stack: Stack, sink: Sink) -> int:
    """How many attempts nobody knows the end of, once it is sure that each mail came, and that none came more
    often than its message says."""
    ended = stack.sql(_ENDED)
    assert {state for _, state, _ in ended} == {"sent"}
    assert sink.came.keys() == {message_id for message_id, _, _ in ended}
    unsaid = [one for one, _, doubtful in ended if sink.came[one] > 1 + doubtful]
    assert unsaid == []
    return sum(doubtful for _, _, doubtful in ended)


def test_worker_killed_at_random_doubts_one_mail_each_time_and_loses_none(
    shop: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("TALLYMAN_SEED") or time.time())
    rng = random.Random(seed)
    moments = sorted(rng.randrange(1, _MAILS * 9 // 10) for _ in range(_KILLS))
    with capsys.disabled():  # a run that passes shows them as well
        print(f"\nTALLYMAN_SEED={seed} kills again when so many mails have come: {moments}")
    write_mails(shop)
    shop.launch("beat")
    with sinking(shop) as sink:
        workers = [shop.launch("worker", f"--hostname=w{number}@%h") for number in range(2)]
        for number, moment in enumerate(moments):
            shop.wait_for(lambda moment=moment: sink.total >= moment)
            time.sleep(rng.random() / 100)  # at any point of a mail's way
            workers[number % 2].kill()
            workers[number % 2] = shop.launch("worker", f"--hostname=w{number + 2}@%h")
        shop.wait_for(lambda: left(shop) == 0)
        doubtful = doubts(shop, sink)

    with capsys.disabled():
        print(f"  {sink.total} mails came for {_MAILS} messages; {doubtful} attempts were doubtful")
    assert doubtful <= _KILLS


def test_provider_comes_back_while_the_broker_forgets_and_dies_and_each_mail_arrives_once(
    shop: Stack, valkey: embedded.Servers
) -> None:
    shop.launch("beat")
    shop.launch("worker")
    write_mails(shop)
    circuit = "SELECT paused_until IS NOT NULL FROM notifications_circuit"
    shop.wait_for(lambda: shop.sql(circuit) == [(True,)])
    assert shop.sql("SELECT max(attempts) FROM notifications_message") == [(0,)]
    with sinking(shop) as sink, redis.Redis.from_url(shop.redis_url) as broker:
        shop.wait_for(lambda: sink.total > 0)
        assert left(shop) >= _MAILS // 2
        broker.flushall()
        over = rounds_over(shop)
        shop.wait_for(lambda: rounds_over(shop) > over)
        came = sink.total
        shop.wait_for(lambda: sink.total > came)  # the next has just begun
        valkey.kill_valkey()
        shop.wait_for(lambda: sink.total > _MAILS * 3 // 4)  # it goes on beyond its time
        valkey.start_valkey()
        shop.wait_for(lambda: left(shop) == 0)

        assert (doubts(shop, sink), sink.total) == (0, _MAILS)
    assert list(sink.came) == [message_id for message_id, _, _ in shop.sql(_ENDED)]  # in order of age
