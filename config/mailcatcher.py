"""A local SMTP server that keeps every message as a file instead of sending it.

`python -m config.mailcatcher PORT FOLDER` listens on 127.0.0.1 until SIGTERM.
"""

import os
import secrets
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller


class Keep:
    """Writes each message to `<folder>/<UTC time>-<id>.eml`; a file is there completely or not at all."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(4)}.eml"
        part = self.folder / f".{name}.part"
        part.write_bytes(envelope.content)
        part.rename(self.folder / name)
        return f"250 Kept as {name}"


def serve(port: int, folder: Path) -> None:
    """Keep messages until SIGTERM or SIGINT. Raises OSError when the port is taken."""
    ends = {signal.SIGTERM, signal.SIGINT}
    # Blocked before the server's thread starts, so that the signal waits here and nowhere else.
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    controller = Controller(Keep(folder), hostname="127.0.0.1", port=port, enable_SMTPUTF8=True)
    controller.start()
    signal.sigwait(ends)
    controller.stop()


if __name__ == "__main__":
    os.umask(0o077)
    serve(int(sys.argv[1]), Path(sys.argv[2]))
