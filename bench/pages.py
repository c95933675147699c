"""`python -m bench.pages`: how long the storefront's pages take in a big shop, and how many queries it needs.

The products are imported as any are; when the search has them all, a web server as in the Procfile answers
one request after the other. Cold: nothing in Redis, before each single request. Warm: the same address once
more. Replaces the section of its name in bench/results.md.
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.parse import urlencode, urlsplit

from bench import sections
from bench.servers import own_servers
from bench.serving import web
from config import embedded

BASE_DIR = Path(__file__).resolve().parent.parent
_NEXT = re.compile(r'href="([^"]*)" rel="next"')


@dataclass(frozen=True)
class Timed:
    """A kind of page: milliseconds of its addresses, cold and warm, and the most queries that one asked."""

    kind: str
    cold: list[float]
    warm: list[float]
    cold_queries: int
    warm_queries: int


def main() -> None:
    """Measure and write the section; exit code 1 when a page answers with anything but 200."""
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--pages", type=int, default=100, help="addresses of each kind (100)")
    parser.add_argument("--out", type=Path, default=BASE_DIR / "bench" / "results.md")
    options = parser.parse_args()
    folder = embedded.data_dir(os.environ.get("TALLYMAN_DATA_DIR"), BASE_DIR) / "bench"
    with own_servers(folder):
        filled = fill(options.rows, folder)
        kinds = addresses(options.pages)
        with web(folder) as address:
            client = Client(address)
            kinds["a list, far down"] = client.following("/?sort=price", options.pages)
            timed = [client.timed(kind, addresses) for kind, addresses in kinds.items()]
    section = _section(timed, options.rows, filled)
    print(section)
    sections.replace(options.out, sections.PAGES, section)


def fill(rows: int, folder: Path) -> float:
    """Import so many products; returns the seconds from the import's end until the search has them all."""
    from bench import catalogue
    from bench.tallyman import Tallyman
    from tasks.models import Job

    files = catalogue.make(rows, folder / "files", to_verify=False)
    tallyman = Tallyman(2, search=True)
    with tallyman.at_work():
        run = tallyman.start(files.files[catalogue.Case.FIRST])
        tallyman.wait_for(
            lambda: not Job.objects.unfinished().exists(), "import and search", 300 + rows / 200
        )
    run.refresh_from_db()
    last = Job.objects.filter(kind="shop.index").order_by("-finished_at").first()
    catalogue.settle()
    if run.finished_at is None or last is None or last.finished_at is None:
        sys.exit(f"{run} did not end: {run.state}. {run.error}")
    return (last.finished_at - run.finished_at).total_seconds()


def addresses(count: int) -> dict[str, list[str]]:
    """Kinds of pages with their addresses; the same for the same catalogue."""
    from shop.models import Category, Product

    chance = random.Random(7)  # must repeat
    products = list(
        Product.objects.published().order_by("sku").values_list("slug", "name", "sku")[: count * 50]
    )
    picked = chance.sample(products, count)
    paths = list(Category.objects.order_by("path").values_list("path", flat=True))
    chosen = [chance.choice(paths) for _ in range(count)]
    priced = [(path, chance.randrange(5, 50)) for path in chosen]
    return {
        "all products, newest": [f"/?in_stock={'on' if at % 2 else ''}" for at in range(count)],
        "category, newest": [f"/c/{path}/" for path in chosen],
        "category, by price, in stock, price range": [
            f"/c/{path}/?{urlencode({'sort': 'price', 'in_stock': 'on', 'lowest': low, 'highest': low + 20})}"
            for path, low in priced
        ],
        "product": [f"/p/{slug}/" for slug, _, _ in picked],
        "search, two words of a name": [_search(" ".join(name.split()[:2])) for _, name, _ in picked],
        "search, one word": [_search(name.split()[-1]) for _, name, _ in picked],
        "search, a SKU": [_search(sku) for _, _, sku in picked],
        "search, two letters changed places": [_search(_mistyped(name)) for _, name, _ in picked],
    }


def _search(words: str) -> str:
    return f"/?{urlencode({'q': words})}"


def _mistyped(name: str) -> str:
    """The longest two words of the name, the longer one with its third and fourth letters exchanged.

    >>> _mistyped("Copper kettle for two")
    'Cpoper kettle'
    """
    longest, other = sorted(name.split(), key=len, reverse=True)[:2]
    return f"{longest[0]}{longest[2]}{longest[1]}{longest[3:]} {other}"


class Client:
    """Asks one page after the other over one connection, as a browser does."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=120)

    def following(self, address: str, count: int) -> list[str]:
        """So many addresses of a list, each the next page of the one before; the first ones are left out."""
        found: list[str] = []
        for _ in range(2 * count):
            following = _NEXT.search(self.get(address)[1])
            if following is None:
                break
            address = following[1].replace("&amp;", "&")
            found.append(address)
        return found[-count:]

    def timed(self, kind: str, addresses: list[str]) -> Timed:
        """Each address cold and then warm."""
        from django.core.cache import cache

        cold, warm = [], []
        self.get(addresses[0])  # plans and templates are there
        for address in addresses:
            cache.clear()
            cold.append(self.get(address)[0])
            warm.append(self.get(address)[0])
        asked = []
        for address in addresses[:10]:
            cache.clear()
            asked.append((_queries(address), _queries(address)))
        return Timed(kind, cold, warm, *map(max, zip(*asked, strict=True)))

    def get(self, address: str) -> tuple[float, str]:
        """Milliseconds until the whole page is here, and the page."""
        began = time.perf_counter()
        self._connection.request("GET", address)
        answer = self._connection.getresponse()
        page = answer.read().decode()
        took = (time.perf_counter() - began) * 1000
        if answer.status != 200:
            sys.exit(f"{address} answered {answer.status}.")
        return took, page


def _queries(address: str) -> int:
    """How many queries the page needs, counted in this process."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as asked:
        Client(SERVER_NAME="127.0.0.1").get(address)
    return len(asked)


def p95(taken: list[float]) -> float:
    """The time that 95 of 100 pages did not exceed (nearest rank)."""
    return sorted(taken)[-(-95 * len(taken) // 100) - 1]


def _section(timed: list[Timed], rows: int, filled: float) -> str:
    lines = [
        f"## {sections.PAGES}\n",
        f"`python -m bench.pages`: {rows:,} products, {len(timed[0].cold)} addresses of each kind over"
        " HTTP, one after the other, one web process;\nmilliseconds until the whole page was there. Cold:"
        f" nothing in Redis. The search had all products {filled:.0f} s after the import's end.\n",
        "| page | cold, median | p95 | queries | warm, median | p95 | queries |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {one.kind} | {median(one.cold):.0f} | {p95(one.cold):.0f} | {one.cold_queries}"
        f" | {median(one.warm):.0f} | {p95(one.warm):.0f} | {one.warm_queries} |"
        for one in timed
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
