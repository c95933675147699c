"""`python -m bench.load`: customers buy while an import runs; by number of web and worker processes.

locust's customers look round, search, fill carts and pay by test card, as fast as they are answered, while
the workers import a file. Afterwards everything must add up (`reconcile`). Replaces the section of its name
in bench/results.md.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench import sections
from bench.servers import own_servers
from bench.serving import web
from config import embedded

BASE_DIR = Path(__file__).resolve().parent.parent
_SHOP = 20_000  # products that there are to begin with
_PROCESSES = ((1, 1), (2, 1), (1, 2), (2, 2))  # of web and workers
_KINDS = ("home", "category", "search", "product", "order")  # whose p95 is shown


@dataclass(frozen=True)
class Ran:
    """One run: what was bought, how long answers took (p95, milliseconds), and the import beside it."""

    webs: int
    workers: int
    orders: int
    seconds: float
    errors: int
    p95: dict[str, float]
    imported: str


def main() -> None:
    """Measure and write the section; exit code 1 when a request fails or something does not add up."""
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000, help="of the import beside it (200,000)")
    parser.add_argument("--seconds", type=int, default=60, help="of each run (60)")
    parser.add_argument("--customers", type=int, default=20, help="at the same time (20)")
    parser.add_argument("--out", type=Path, default=BASE_DIR / "bench" / "results.md")
    options = parser.parse_args()
    folder = embedded.data_dir(os.environ.get("TALLYMAN_DATA_DIR"), BASE_DIR) / "bench"
    os.environ["PAYMENT_METHODS"] = "test-card"
    with own_servers(folder):
        _open_shop(folder)
        runs = list(_runs(options, folder))
        _must_add_up()
    section = _section(runs, options)
    print(section)
    sections.replace(options.out, sections.LOAD, section)
    if any(run.errors for run in runs):
        sys.exit("Some requests failed.")


def _open_shop(folder: Path) -> None:
    """Import what is sold, wait until the search has it, offer a delivery."""
    from bench import catalogue
    from bench.tallyman import Tallyman
    from shop.models import DeliveryMethod

    files = catalogue.make(_SHOP, folder / "files", to_verify=False)
    tallyman = Tallyman(2, search=True)
    with tallyman.at_work():
        tallyman.start(files.files[catalogue.Case.FIRST])
        tallyman.wait_for(tallyman.is_idle, "import and search", 600)
    DeliveryMethod.objects.create(code="standard", name="Standard delivery", fee="4.90")


def _runs(options: argparse.Namespace, folder: Path) -> Iterator[Ran]:
    from bench.tallyman import Tallyman
    from imports import sample_catalog

    for number, (webs, workers) in enumerate(_PROCESSES, start=1):
        path = folder / "files" / f"beside-{number}.csv"
        with path.open("w", newline="") as file:
            file.write(sample_catalog.HEADER)
            file.writelines(sample_catalog.rows(options.rows, seed=100 + number))
        tallyman = Tallyman(workers, search=True)
        with tallyman.at_work(), web(folder, processes=webs) as address:
            before = _orders()
            run = tallyman.start(path)
            stats = _locust(address, options, folder)
            bought = _orders() - before
            tallyman.wait_for(partial(_has_ended, run), f"{run}", 600)
            ran = _ran(webs, workers, bought, options, stats, run)
            tallyman.wait_for(tallyman.is_idle, "what is left to do", 600)
        print(f"{ran}", flush=True)
        yield ran


def _orders() -> int:
    from shop.models import Order

    return Order.objects.exclude(state=Order.State.PENDING).count()


def _has_ended(run: Any) -> bool:
    run.refresh_from_db()
    return bool(run.has_ended)


def _locust(address: str, options: argparse.Namespace, folder: Path) -> dict[str, dict[str, str]]:
    """Its figures by the name of the request; `Aggregated` has all of them."""
    prefix = folder / "locust"
    customers = BASE_DIR / "bench" / "customers.py"
    command = [
        sys.executable, "-m", "locust", "--locustfile", str(customers), "--headless",
        "--host", address, "--users", str(options.customers), "--spawn-rate", str(options.customers),
        "--run-time", f"{options.seconds}s", "--stop-timeout", "30", "--csv", str(prefix), "--only-summary",
        "--exit-code-on-error", "0",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"locust ended with code {done.returncode}:\n{done.stderr[-3000:]}")
    if raised := Path(f"{prefix}_exceptions.csv").read_text().strip().splitlines()[1:]:
        sys.exit("\n".join(raised[:20]))  # of our customers' own; answers of the shop are failures
    for failure in Path(f"{prefix}_failures.csv").read_text().strip().splitlines()[1:20]:
        print(failure, flush=True)
    with Path(f"{prefix}_stats.csv").open(newline="") as file:
        return {row["Name"]: row for row in csv.DictReader(file)}


def _ran(
    webs: int,
    workers: int,
    orders: int,
    options: argparse.Namespace,
    stats: dict[str, dict[str, str]],
    run: Any,
) -> Ran:
    if run.state != "completed" or sum(run.outcomes.values()) != options.rows:
        sys.exit(f"{run} is {run.state} with {run.outcomes}. {run.error}")
    p95 = {kind: float(stats[kind]["95%"]) for kind in _KINDS if kind in stats}
    imported = f"{options.rows / run.seconds:,.0f}"
    errors = int(stats["Aggregated"]["Failure Count"])
    return Ran(webs, workers, orders, options.seconds, errors, p95, imported)


def _must_add_up() -> None:
    from shop import reconciling

    if wrong := list(reconciling.findings()):
        sys.exit("\n".join(wrong))


def _section(runs: list[Ran], options: argparse.Namespace) -> str:
    lines = [
        f"## {sections.LOAD}\n",
        f"`python -m bench.load`: {options.customers} customers at a time for {options.seconds} s buy by test"
        f" card, while {options.rows:,} rows are imported;\n{os.cpu_count()} cores for all of it, locust's"
        " customers included. p95 in milliseconds. Afterwards `reconcile` found nothing off.\n",
        f"| web processes | workers | orders/s | errors | {' | '.join(f'{kind}, p95' for kind in _KINDS)}"
        " | import, rows/s |",
        f"| {' | '.join(['---:'] * (5 + len(_KINDS)))} |",
    ]
    lines += [
        f"| {run.webs} | {run.workers} | {run.orders / run.seconds:.1f} | {run.errors} | "
        + " | ".join(f"{run.p95.get(kind, float('nan')):.0f}" for kind in _KINDS)
        + f" | {run.imported} |"
        for run in runs
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
