"""A mail server that follows a script to the byte: for what a well-behaved one can't be made to do."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import BinaryIO

EXTENSIONS: list[str] = []  # that the servers say they know


@dataclass
class Script:
    """How the server behaves, and what it got: `mails` are the texts that came with their final dot.

    `says` has its answer to a word, or to a whole line, other than 250 OK, such as {"RCPT": "550 No"}; "." is
    the end of the text and "" the greeting; None hangs up without an answer. `texts_read`: bytes of the text
    that it reads before it hangs up. `per_connection`: mails that it takes over one, then it hangs up, or
    answers with `parting` whatever comes next.
    """

    says: dict[str, str | None] = field(default_factory=dict)
    texts_read: int | None = None
    is_silent: bool = False  # takes the text and says nothing
    per_connection: int | None = None
    parting: str | None = None
    mails: list[bytes] = field(default_factory=list)
    connections: int = 0
    heard: list[str] = field(default_factory=list)  # the words, of all connections

    @property
    def ids(self) -> list[str]:
        """The Message-IDs of the mails."""
        return [str(message_from_bytes(mail)["Message-ID"]) for mail in self.mails]


@contextmanager
def serving(script: Script) -> Iterator[int]:
    """Run the server; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        over = threading.Event()
        thread = threading.Thread(target=_accept, args=(listener, script, over))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            with socket.create_connection(listener.getsockname()):
                pass  # wakes it
            thread.join()


def _accept(listener: socket.socket, script: Script, over: threading.Event) -> None:
    while True:
        connection, _ = listener.accept()
        if over.is_set():
            connection.close()
            return
        with connection, connection.makefile("rwb") as stream, suppress(OSError):
            connection.settimeout(5)
            _converse(stream, script)


def _converse(stream: BinaryIO, script: Script) -> None:
    script.connections += 1
    before = len(script.mails)
    if not _say(stream, script.says.get("", "220 scripted")):
        return
    while line := stream.readline():
        told = line.decode().strip()
        word = told[:4].strip().upper()
        script.heard.append(word)
        if len(script.mails) - before == script.per_connection:
            _say(stream, script.parting)
            return
        if word == "EHLO" and EXTENSIONS and "EHLO" not in script.says:
            _say(stream, "\r\n".join(["250-scripted", *EXTENSIONS]))
        elif word == "DATA" and "DATA" not in script.says:
            if not _take_text(stream, script):
                return
            if script.parting is None and len(script.mails) - before == script.per_connection:
                return
        elif not _say(stream, script.says.get(told, script.says.get(word, "250 OK"))) or word == "QUIT":
            return


def _take_text(stream: BinaryIO, script: Script) -> bool:
    _say(stream, "354 Go on")
    if script.texts_read is not None:
        stream.read(script.texts_read)
        return False
    lines = []
    while (line := stream.readline()) != b".\r\n":
        if not line:
            return False  # the other side went away in the middle
        lines.append(line)
    script.mails.append(b"".join(lines))
    if script.is_silent:
        stream.read(1)  # until the other side has had enough
        return False
    return _say(stream, script.says.get(".", "250 Taken as 4711"))


def _say(stream: BinaryIO, answer: str | None) -> bool:
    if answer is None:
        return False
    stream.write(answer.encode() + b"\r\n")
    stream.flush()
    return not answer.startswith("421")
