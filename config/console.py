"""Where the lines of many programs go: one terminal with names before them, or a file each."""

import os
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import TextIO

# Takes a program's name and one line of its output; called from several threads.
type LineSink = Callable[[str, str], None]

_COLOURS = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)  # ANSI foregrounds that can be read on dark and light


def to_terminal(stream: TextIO, names: Collection[str]) -> LineSink:
    """Lines as `name | line`, each name of `names` in its own colour when `stream` is a terminal."""
    lock = threading.Lock()
    width = max(map(len, names), default=0)
    coloured = stream.isatty() and not os.environ.get("NO_COLOR")
    colours = {name: _COLOURS[at % len(_COLOURS)] for at, name in enumerate(names)} if coloured else {}

    def say(name: str, line: str) -> None:
        label = f"{name:{width}} |"
        if name in colours:
            label = f"\x1b[{colours[name]}m{label}\x1b[0m"
        # A reader that is gone (`make up | head`) must not stall the programs.
        with lock, suppress(OSError, ValueError):
            stream.write(f"{label} {line}\n")
            stream.flush()

    return say


def to_files(folder: Path) -> LineSink:
    """Lines appended to `<folder>/<name>.log`."""

    def say(name: str, line: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{name}.log").open("a") as file:
            file.write(f"{line}\n")

    return say
