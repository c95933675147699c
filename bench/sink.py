"""`python -m bench.sink PORT`: a mail server that takes everything, costs little and counts.

Beside what SMTP has, it answers `SEEN` with two figures: how many mails came, and how many different
Message-IDs they had. `Sink` can be run in any event loop.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections import Counter

_END = b"\r\n.\r\n"
_ID = re.compile(rb"^Message-ID: *(\S+)\r$", re.IGNORECASE | re.MULTILINE)
_LONGEST_HEAD = 4000  # bytes in which the Message-ID is looked for


class Sink:
    """What came, by Message-ID, in the order of coming."""

    def __init__(self) -> None:
        self.came: Counter[str] = Counter()

    @property
    def total(self) -> int:
        return self.came.total()

    async def serve(self, port: int) -> asyncio.Server:
        """Listen on 127.0.0.1."""
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: _Conversation(self), "127.0.0.1", port)


class _Conversation(asyncio.Protocol):
    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._transport: asyncio.WriteTransport
        self._received = b""
        self._takes_text = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        self._say("220 sink")

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (self._takes_text and self._text_ends()) or (not self._takes_text and self._line_ends()):
            pass

    def _text_ends(self) -> bool:
        text, end, rest = self._received.partition(_END)
        if not end:
            return False
        self._received, self._takes_text = rest, False
        found = _ID.search(text[:_LONGEST_HEAD])
        self._sink.came[found[1].decode() if found else ""] += 1
        self._say("250 taken")
        return True

    def _line_ends(self) -> bool:
        line, end, rest = self._received.partition(b"\r\n")
        if not end:
            return False
        self._received = rest
        word = line[:4].upper()
        if word == b"DATA":
            self._takes_text = True
            self._say("354 go on")
        elif word == b"EHLO":
            self._say("250-sink\r\n250 PIPELINING")
        elif word == b"SEEN":
            self._say(f"250 {self._sink.total} {len(self._sink.came)}")
        elif word == b"QUIT":
            self._say("221 bye")
            self._transport.close()
        else:
            self._say("250 sink")
        return True

    def _say(self, answer: str) -> None:
        self._transport.write(answer.encode() + b"\r\n")


async def _run(port: int) -> None:
    server = await Sink().serve(port)
    print("listening", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_run(int(sys.argv[1])))
