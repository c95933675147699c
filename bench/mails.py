"""`python -m bench.mails`: how many mails a second go out, from the outbox to a mail server beside it.

Against smtplib in a loop over one connection, which neither remembers what it sent nor whether it did: with
the mails as Python's objects, and as bytes. Replaces the section of its name in bench/results.md.
"""

from __future__ import annotations

import argparse
import os
import smtplib
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from bench import sections
from bench.servers import own_servers, started
from config import embedded
from config.processes import Process, Program

if TYPE_CHECKING:
    from notifications.messages import Rendered
    from notifications.models import Message

BASE_DIR = Path(__file__).resolve().parent.parent
_LIMIT, _TWO = "smtplib in a loop, `send_message`", "**Tallyman, 2 workers**"
_FINISHED = "smtplib in a loop, `sendmail` of finished bytes"
_WARM_UP = 60  # messages
_SLOWEST = 20  # messages a second; whoever is slower is stuck
_TOLD = "Somebody wants to set a new password.\n\nhttps://shop.example/accounts/password/reset/key/1-abc/\n\n"


def main() -> None:
    """Measure and write the section; exit code 1 when a mail is missing, or came twice."""
    parser = argparse.ArgumentParser(prog="python -m bench.mails", description=__doc__)
    parser.add_argument("--messages", type=int, default=3_000, help="of each run (3,000)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=BASE_DIR / "bench" / "results.md")
    options = parser.parse_args()
    folder = embedded.data_dir(os.environ.get("TALLYMAN_DATA_DIR"), BASE_DIR) / "bench"
    with own_servers(folder), _sink(folder) as port:
        rates: dict[str, list[float]] = {}
        for number in range(1, options.rounds + 1):
            for who, measure in _contenders(port, folder).items():
                rate = _checked(measure, options.messages, port)
                rates.setdefault(who, []).append(rate)
                print(f"round {number}: {who}: {rate:,.0f} mails/s", flush=True)
        size = len(_finished(_mails(1)[0]))
    section = _section(rates, options.messages, size)
    print(section)
    sections.replace(options.out, sections.MAILS, section)


def _contenders(port: int, folder: Path) -> dict[str, Callable[[int], float]]:
    """Each delivers so many mails and returns how many seconds that took."""
    return {
        _LIMIT: partial(_loop, port),
        _FINISHED: partial(_bytes, port),
        "Django's `send_messages`": partial(_django, port),
        "**Tallyman, 1 worker**": partial(_ours, 1, port, folder),
        _TWO: partial(_ours, 2, port, folder),
    }


def _checked(measure: Callable[[int], float], count: int, port: int) -> float:
    """Mails a second, once it is sure that each has come, and once."""
    before = _seen(port)
    seconds = measure(count)
    came = [now - then for now, then in zip(_seen(port), before, strict=True)]
    if came[0] != came[1] or came[0] < count:
        sys.exit(f"{came[0]:,} mails came, {came[1]:,} different ones, instead of {count:,}.")
    return count / seconds


def _seen(port: int) -> Sequence[int]:
    """How many mails the server has got, and how many different ones."""
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        return [int(figure) for figure in smtp.docmd("SEEN")[1].split()]


@contextmanager
def _sink(folder: Path) -> Iterator[int]:
    """Run the mail server in a process of its own; gives its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    log = folder / "log" / "sink.log"
    process = Process(
        Program(
            name="sink",
            command=[sys.executable, "-m", "bench.sink", str(port)],
            directory=BASE_DIR,
            log=log,
            is_ready=lambda pid: "listening" in log.read_text(),
        )
    )
    process.start()
    try:
        process.wait_ready(30)
        yield port
    finally:
        process.stop()


def _mails(count: int) -> list[Message]:
    """Such messages as `_write` writes, with headers, in memory alone."""
    from django.utils import timezone

    from notifications import delivery
    from notifications.models import Message

    content, number = _content(), time.monotonic_ns()
    made = [
        Message(
            pk=number + at, kind="account", recipient=_reader(at), created_at=timezone.now(),
            subject=content.subject, text=content.text, html=content.html,
        )
        for at in range(count)
    ]  # fmt: skip
    for message in made:
        message.headers = delivery.headers(message, f"<{message.pk}@shop.example>")
    return made


def _write(count: int) -> float:
    """Put messages into the outbox; returns when they were committed, by the monotonic clock."""
    from notifications import outbox

    outbox.write(
        kind="account",
        event=f"bench/{time.monotonic_ns()}",
        about="bench",
        recipients=[_reader(at) for at in range(count)],
        content=_content(),
    )
    return time.monotonic()


def _content() -> Rendered:
    from notifications import messages

    return messages.about_account(subject="A new password for your account", text=_TOLD * 3)


def _reader(number: int) -> str:
    return f"reader-{number}@shop.example"


def _finished(message: Message) -> bytes:
    from notifications import mime
    from notifications.composing import compose

    return mime.as_bytes(compose(message))


def _loop(port: int, count: int) -> float:
    mails = [_parsed(message) for message in _mails(count)]
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        began = time.monotonic()
        for mail in mails:
            smtp.send_message(mail)
        return time.monotonic() - began


def _parsed(message: Message) -> EmailMessage:
    """As Python's own objects, which smtplib writes down while it sends."""
    mail = EmailMessage()
    for name, value in message.headers.items():
        mail[name] = value
    mail["To"], mail["Subject"] = message.recipient, message.subject
    mail.set_content(message.text)
    mail.add_alternative(message.html, subtype="html")
    return mail


def _bytes(port: int, count: int) -> float:
    mails = [(message.recipient, _finished(message)) for message in _mails(count)]
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        began = time.monotonic()
        for recipient, text in mails:
            smtp.sendmail("shop@shop.example", [recipient], text)
        return time.monotonic() - began


def _django(port: int, count: int) -> float:
    from django.core.mail import get_connection

    from notifications.composing import compose

    backend = "django.core.mail.backends.smtp.EmailBackend"
    with get_connection(backend, host="127.0.0.1", port=port) as connection:
        mails = _mails(count)
        began = time.monotonic()
        connection.send_messages([compose(message) for message in mails])
        return time.monotonic() - began


def _ours(workers: int, port: int, folder: Path, count: int) -> float:
    """From the commit of the messages to the record of the last one's answer."""
    with ExitStack() as stack:
        for number in range(1, workers + 1):
            node = _worker(f"mails-{workers}-{number}", port, folder)
            stack.callback(node.kill)
        _write(_WARM_UP * workers)
        _wait_until_out(_WARM_UP * workers)
        began = _write(count)
        return _wait_until_out(count) - began


def _worker(name: str, port: int, folder: Path) -> Process:
    return started(
        "worker", folder, "--hostname", f"{name}@%h", "--queues", "mail,default",
        name=name, ready=" ready.", WORKER_CONCURRENCY="1", EMAIL_URL=f"smtp://127.0.0.1:{port}",
    )  # fmt: skip


def _wait_until_out(count: int) -> float:
    """When no message was left to send, by the monotonic clock."""
    from notifications.models import Message

    deadline = time.monotonic() + 60 + count / _SLOWEST
    while Message.objects.filter(due_at__isnull=False).exists():
        if time.monotonic() > deadline:
            sys.exit(f"{Message.objects.filter(due_at__isnull=False).count():,} mails did not go out.")
        time.sleep(0.02)
    return time.monotonic()


def _section(rates: dict[str, list[float]], count: int, size: int) -> str:
    lines = [
        f"## {sections.MAILS}\n",
        f"`python -m bench.mails`: {count:,} mails of {size:,} bytes, text and HTML, to a server on the same"
        f" {os.cpu_count()} cores that\ntakes everything; medians of {len(rates[_TWO])} rounds."
        " The loops send over one connection what was put together beforehand,\nas Python's objects or as"
        " finished bytes, and remember nothing. Ours goes from the commit of the outbox's rows\nto the record"
        " of the last answer: it begins, composes, sends and records each, with real workers, each of\nthem a"
        " Celery node with one child; the server knows PIPELINING, which smtplib does not use."
        " Each mail came\nonce.\n",
        "| who | mails/s | × `send_message` | × finished bytes |",
        "| --- | ---: | ---: | ---: |",
    ]
    for who, found in rates.items():
        ratios = [
            median(one / base for one, base in zip(found, rates[against], strict=True))
            for against in (_LIMIT, _FINISHED)
        ]
        lines.append(f"| {who} | {median(found):,.0f} | {ratios[0]:.2f} | {ratios[1]:.2f} |")
    ratio = median(one / base for one, base in zip(rates[_TWO], rates[_LIMIT], strict=True))
    verdict = "reached" if ratio >= 0.5 else "falls short"
    lines.append(f"\n2 workers must reach half of a loop with `send_message`: {ratio:.2f}, {verdict}.")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
