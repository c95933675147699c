"""The embedded servers keep what they were given, whatever happens to them or to their files."""

import os
import re
import smtplib
import socket
import stat
import subprocess
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import psycopg
import pytest
import redis
from redis.exceptions import AuthenticationError

from config import embedded
from config.embedded import AlreadyRunningError, Servers

NO_POSTGRES, ONLY_POSTGRES = {"postgres"}, {"valkey", "mail"}


def write_down(data_dir: Path, number: int) -> None:
    with psycopg.connect(embedded.database_url(data_dir)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
        connection.execute("INSERT INTO kept VALUES (%s)", [number])


def written(data_dir: Path) -> list[int]:
    with psycopg.connect(embedded.database_url(data_dir)) as connection:
        return [row[0] for row in connection.execute("SELECT number FROM kept ORDER BY number")]


def wait_until_busy(data_dir: Path) -> None:
    busy = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()"
    with psycopg.connect(embedded.database_url(data_dir), autocommit=True) as connection:
        while connection.execute(busy).fetchone() != (1,):
            pass


def test_addresses_asked_for_twice_are_the_same(data_dir: Path) -> None:
    urls = [embedded.database_url, embedded.broker_url, embedded.mail_url, embedded.secret_key]
    assert [url(data_dir) for url in urls] == [url(data_dir) for url in urls]


def test_files_with_secrets_are_private(data_dir: Path) -> None:
    embedded.database_url(data_dir)
    embedded.secret_key(data_dir)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in data_dir.iterdir()}
    assert modes == {"servers.json": 0o600, "secret_key": 0o600}


def test_folder_that_is_no_folder_gives_addresses_that_refuse(data_dir: Path) -> None:
    blocked = data_dir / "file"
    blocked.touch()
    assert embedded.broker_url(blocked) == "redis://:@127.0.0.1:1/0"


def test_data_dir_is_below_the_project_unless_named(tmp_path: Path) -> None:
    given = [None, "", "other", "/srv/tallyman"]
    expected = [tmp_path / ".data", tmp_path / ".data", tmp_path / "other", Path("/srv/tallyman")]
    assert [embedded.data_dir(value, tmp_path) for value in given] == expected


def test_restarted_servers_keep_address_and_data(data_dir: Path) -> None:
    with Servers(data_dir):
        addresses = (data_dir / "servers.json").read_text()
        write_down(data_dir, 1)
        redis.Redis.from_url(embedded.broker_url(data_dir)).set("kept", "yes")
    with Servers(data_dir):
        assert (data_dir / "servers.json").read_text() == addresses
        assert written(data_dir) == [1]
        assert redis.Redis.from_url(embedded.broker_url(data_dir)).get("kept") == b"yes"


def test_killed_servers_recover_with_what_was_committed(data_dir: Path) -> None:
    with Servers(data_dir, without={"mail"}) as servers:
        before = servers.pids
        write_down(data_dir, 1)
        servers.kill_postgres()
        servers.kill_valkey()
        assert servers.pids == {}
        servers.start_postgres()
        servers.start_valkey()
        assert written(data_dir) == [1]
        assert redis.Redis.from_url(embedded.broker_url(data_dir)).ping() is True
        assert servers.pids.keys() == before.keys()
        assert not set(servers.pids.values()) & set(before.values())


def test_busy_backend_of_a_killed_postgres_does_not_block_its_successor(data_dir: Path) -> None:
    with Servers(data_dir, without=ONLY_POSTGRES) as servers:
        connection = psycopg.connect(embedded.database_url(data_dir))
        # Computing, it does not notice that its server is gone and keeps the shared memory.
        connection.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 1000000000)")
        wait_until_busy(data_dir)
        servers.kill_postgres()
        servers.start_postgres()
        write_down(data_dir, 2)
        assert written(data_dir) == [2]
        connection.close()


def test_postgres_killed_while_an_unlogged_table_was_made_starts_again(data_dir: Path) -> None:
    with Servers(data_dir, without=ONLY_POSTGRES) as servers:
        connection = psycopg.connect(embedded.database_url(data_dir))
        connection.execute("CREATE UNLOGGED TABLE half (id int PRIMARY KEY)")  # and not committed
        write_down(data_dir, 3)
        servers.kill_postgres()
        servers.start_postgres()
        assert written(data_dir) == [3]
        log = (data_dir / "log" / "postgres.log").read_text()
        assert log.count("could not create file") == 1  # else there was nothing to survive
        connection.close()


def test_process_id_on_record_that_is_a_strangers_now_is_ignored(data_dir: Path) -> None:
    with Servers(data_dir, without=ONLY_POSTGRES) as servers:
        record = (data_dir / "postgres" / "postmaster.pid").resolve()
        servers.kill_postgres()
        lines = record.read_text().split("\n")
        # Of the same user, as PostgreSQL takes only such a process for itself.
        with subprocess.Popen(["sleep", "600"], user=record.owner()) as stranger:
            record.write_text("\n".join([str(stranger.pid), *lines[1:]]))
            try:
                servers.start_postgres()
                assert stranger.poll() is None
            finally:
                stranger.kill()
        assert record.read_text().split("\n")[0] == str(servers.pids["postgres"])


def test_lost_passwords_are_made_anew_and_the_data_stays(data_dir: Path) -> None:
    with Servers(data_dir, without=ONLY_POSTGRES):
        write_down(data_dir, 1)
    (data_dir / "servers.json").unlink()
    with Servers(data_dir, without=ONLY_POSTGRES):
        assert written(data_dir) == [1]


def test_port_taken_meanwhile_is_replaced(data_dir: Path) -> None:
    address = embedded.broker_url(data_dir)
    port = int(address.removesuffix("/0").rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)), Servers(data_dir, without=NO_POSTGRES):
        moved = embedded.broker_url(data_dir)
        assert moved != address
        assert redis.Redis.from_url(moved).ping() is True


def test_servers_refuse_a_wrong_password(data_dir: Path) -> None:
    with Servers(data_dir, without={"mail"}):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(embedded.database_url(data_dir), password="guessed")
        with pytest.raises(AuthenticationError):
            redis.Redis.from_url(re.sub(":[^:@]*@", ":guessed@", embedded.broker_url(data_dir))).ping()


def test_folder_in_use_is_refused_with_its_process(data_dir: Path) -> None:
    with Servers(data_dir, without={"postgres", "mail"}):
        with pytest.raises(AlreadyRunningError) as refusal:
            Servers(data_dir).start()
        assert str(refusal.value) == (
            f"Tallyman already runs with the data in {data_dir} (process {os.getpid()}). "
            f"Stop it with `kill {os.getpid()}`, or choose another folder: TALLYMAN_DATA_DIR=… make up"
        )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another user")
def test_closed_folder_stays_closed_and_postgres_lives_elsewhere(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data_dir.chmod(0o700)
    for _ in range(2):
        with Servers(data_dir, without=ONLY_POSTGRES):
            write_down(data_dir, 1)
    assert written_elsewhere(data_dir) == (data_dir / "postgres").readlink()
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
    told = f"{data_dir} is closed to the user tallyman: PostgreSQL's files are in "
    assert capsys.readouterr().out == f"{told}{(data_dir / 'postgres').readlink()}\n"


def written_elsewhere(data_dir: Path) -> Path:
    with Servers(data_dir, without=ONLY_POSTGRES):
        connection = psycopg.connect(embedded.database_url(data_dir))
        row = connection.execute("SHOW data_directory").fetchone()
        connection.close()
    assert row is not None
    return Path(row[0])


def test_mail_is_kept_as_a_file(data_dir: Path) -> None:
    message = EmailMessage()
    message["Subject"] = "Kept, not sent"
    message.set_content("Grüße\n.\nfrom the shop\n")
    with Servers(data_dir, without={"postgres", "valkey"}):
        host, _, port = embedded.mail_url(data_dir).removeprefix("smtp://").partition(":")
        with smtplib.SMTP(host, int(port)) as smtp:
            smtp.send_message(message, "shop@example.com", ["reader@example.com"])
    [file] = (data_dir / "mail").iterdir()
    kept = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert file.suffix == ".eml"
    assert (kept["Subject"], kept.get_content()) == ("Kept, not sent", "Grüße\r\n.\r\nfrom the shop\r\n")
