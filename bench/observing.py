"""`python -m bench.observing`: what metrics, logs and heartbeats cost, for pages and for imports.

Watched: as by default, with lines of JSON for whatever is told, heartbeats, and somebody who fetches
`/metrics` every five seconds (Prometheus does every fifteen). Unwatched: no metrics, a heartbeat an hour, and
errors alone are logged. Both in turn, the other one first in every other round, so that noise hits both
alike; a ratio is that of the two halves of a round. Replaces the section of its name in bench/results.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from statistics import median
from urllib.request import Request, urlopen

from bench import sections
from bench.pages import Client, addresses, fill, p95
from bench.servers import own_servers
from bench.serving import web
from config import embedded

BASE_DIR = Path(__file__).resolve().parent.parent
WANTED = 0.97  # of the speed without
_SHOP = 20_000  # products behind the pages
_SCRAPE_SECONDS = 5.0
_TOKEN = "of the benchmark"  # noqa: S105 - opens figures of a server that lives for seconds
_WATCHED = {
    "METRICS_ENABLED": "true", "METRICS_TOKEN": _TOKEN, "LOG_LEVEL": "INFO", "LOG_FORMAT": "json",
    "HEARTBEAT_SECONDS": "5",
}  # fmt: skip
_UNWATCHED = {"METRICS_ENABLED": "false", "LOG_LEVEL": "ERROR", "HEARTBEAT_SECONDS": "3600"}
_HALVES = {"on": _WATCHED, "off": _UNWATCHED}

type Round = dict[str, float]  # by half: a figure


def main() -> None:
    """Measure and write the section; exit code 1 when being watched costs more than it may."""
    parser = argparse.ArgumentParser(prog="python -m bench.observing", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="over the pages (7)")
    parser.add_argument("--import-rounds", type=int, help="over the imports (as --rounds, at most 5)")
    parser.add_argument("--pages", type=int, default=100, help="addresses of each kind in each half (100)")
    parser.add_argument("--rows", type=int, default=100_000, help="of the imports (100,000)")
    parser.add_argument("--out", type=Path, default=BASE_DIR / "bench" / "results.md")
    options = parser.parse_args()
    folder = embedded.data_dir(os.environ.get("TALLYMAN_DATA_DIR"), BASE_DIR) / "bench"
    with own_servers(folder):
        fill(min(_SHOP, options.rows), folder)
        asked = [address for some in addresses(options.pages).values() for address in some]
        pages = [_pages(number, asked, folder) for number in range(options.rounds)]
        imports = _imports(options, folder)
    section, is_cheap = _section(pages, imports, len(asked), options.rows)
    print(section)
    sections.replace(options.out, sections.OBSERVING, section)
    if not is_cheap:
        sys.exit(f"Being watched costs more than {1 - WANTED:.0%}.")


def _in_turn(number: int) -> list[str]:
    halves = list(_HALVES)
    return halves if number % 2 == 0 else halves[::-1]


def _pages(number: int, asked: list[str], folder: Path) -> Round:
    """The p95 of all pages in milliseconds, one after the other, each asked for once before."""
    taken = {}
    for half in _in_turn(number):
        with (
            web(folder, variables=_HALVES[half]) as address,
            _scraped(address) if half == "on" else nullcontext(),
        ):
            client = Client(address)
            for path in asked:
                client.get(path)
            taken[half] = p95([client.get(path)[0] for path in asked])
        print(f"round {number + 1}: pages, {half}: p95 {taken[half]:.2f} ms", flush=True)
    return taken


@contextmanager
def _scraped(address: str) -> Iterator[None]:
    """Somebody fetches the metrics meanwhile, the first time at once; a failure ends the benchmark."""
    done = threading.Event()
    failed: list[OSError] = []
    request = Request(f"{address}/metrics", headers={"Authorization": f"Bearer {_TOKEN}"})  # noqa: S310

    def fetch() -> None:
        while not failed:
            try:
                with urlopen(request, timeout=10) as answer:  # noqa: S310 - our own
                    answer.read()
            except OSError as error:
                failed.append(error)
            if done.wait(_SCRAPE_SECONDS):
                return

    thread = threading.Thread(target=fetch)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
    if failed:
        sys.exit(f"/metrics: {failed[0]}")


def _imports(options: argparse.Namespace, folder: Path) -> list[Round]:
    """Rows a second of first imports into emptied tables by one worker."""
    from bench import catalogue
    from bench.catalogue import Case
    from bench.tallyman import Tallyman

    files = catalogue.make(options.rows, folder / "files")
    rounds = []
    for number in range(options.import_rounds or min(options.rounds, 5)):
        rates = {}
        for half in _in_turn(number):
            tallyman = Tallyman(1, variables=_HALVES[half])
            with tallyman.at_work():
                files.prepare(Case.FIRST, tallyman.load_base)
                rates[half] = options.rows / tallyman.attempt(files, Case.FIRST).seconds
                files.verify(Case.FIRST)
            print(f"round {number + 1}: import, {half}: {rates[half]:,.0f} rows/s", flush=True)
        rounds.append(rates)
    return rounds


def _section(pages: list[Round], imports: list[Round], asked: int, rows: int) -> tuple[str, bool]:
    """The Markdown, and whether both keep WANTED of their speed."""
    ratios = {
        "pages": [one["off"] / one["on"] for one in pages],
        "imports": [one["on"] / one["off"] for one in imports],
    }
    kept = {what: median(found) for what, found in ratios.items()}

    def row(what: str, key: str, unit: str, rounds: list[Round], form: str) -> str:
        on, off = (median(one[half] for one in rounds) for half in ("on", "off"))
        least, most = min(ratios[key]), max(ratios[key])
        spread = f"{kept[key]:.3f} ({least:.2f}–{most:.2f})"
        return f"| {what}, {unit} | {on:{form}} | {off:{form}} | {spread} | {len(rounds)} |"

    is_cheap = min(kept.values()) >= WANTED
    lines = [
        f"## {sections.OBSERVING}\n",
        f"`python -m bench.observing`: {asked:,} pages of the storefront one after the other, and imports of"
        f" {rows:,} rows by one worker.\nWatched: `/metrics` fetched every {_SCRAPE_SECONDS:.0f} s, JSON logs"
        " at INFO, heartbeats. Unwatched: no metrics, errors alone logged, no\nheartbeats. Medians of rounds"
        " in turn; the ratio is that of the speeds within a round.\n",
        "| | watched | unwatched | speed kept | rounds |",
        "| --- | ---: | ---: | ---: | ---: |",
        row("pages", "pages", "p95 in ms", pages, ".1f"),
        row("import", "imports", "rows/s", imports, ",.0f"),
        f"\nWatched must keep {WANTED:g} of the speed: {'reached' if is_cheap else 'NOT REACHED'}.",
    ]
    return "\n".join(lines) + "\n", is_cheap


if __name__ == "__main__":
    main()
