"""`python -m bench`: measure, print the tables, write bench/results.md."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from bench.servers import own_servers
from config import embedded
from config.processes import StartError

BASE_DIR = Path(__file__).resolve().parent.parent
_MILLION = 1_000_000
_CHOICES = (
    "copy",
    "per-row",
    "bulk-create",
    "import-export",
    "tallyman-1",
    "tallyman-2",
    "tallyman-2-foreign",
)


def main() -> None:
    """Exit code 0 when measured, 1 when something failed (and then nothing is written), 2 on bad usage."""
    options = _options()
    # Whoever stops us wants the servers stopped and the folder removed as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = embedded.data_dir(os.environ.get("TALLYMAN_DATA_DIR"), BASE_DIR) / "bench"
    try:
        with own_servers(folder):
            from bench.measuring import Failed, measure  # its models need the settings of these servers

            try:
                measure(options, folder)
            except Failed as failed:
                sys.exit(str(failed))
    except StartError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rows", type=_positive, default=100_000, help="rows of the file (100,000)")
    parser.add_argument("--rounds", type=_positive, default=3, help="rounds over all contenders (3)")
    parser.add_argument(
        "--only", type=_names, default=_CHOICES, metavar="NAME,…", help=f"of {', '.join(_CHOICES)}"
    )
    parser.add_argument(
        "--loop-rows", type=_positive, default=10_000, help="rows for the slow ones: per-row, import-export"
    )
    parser.add_argument(
        "--big", type=_positive, nargs="?", const=_MILLION, metavar="ROWS",
        help="afterwards one round with so many rows (a million): COPY and two workers",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, default=BASE_DIR / "bench" / "results.md", help="the report")
    return parser.parse_args()


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"“{text}” is not a whole number of 1 or more")
    return int(text)


def _names(text: str) -> tuple[str, ...]:
    """The chosen contenders in our order; COPY is always among them, as the ratios are against it."""
    chosen = {"copy", *text.split(",")}
    if unknown := chosen.difference(_CHOICES):
        raise argparse.ArgumentTypeError(
            f"no contender {', '.join(unknown)}; there are {', '.join(_CHOICES)}"
        )
    return tuple(name for name in _CHOICES if name in chosen)


if __name__ == "__main__":
    main()
