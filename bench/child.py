"""`python -m bench.child WAY CASE FILE`: one import with the ORM in a process of its own.

Prints {"seconds", "peak_bytes"} as JSON; starting Python and Django and connecting are not in the seconds.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import django


def main(way: str, case: str, path: str) -> None:
    django.setup()
    from django.db import connection

    from bench.catalogue import Case
    from bench.memory import peak_bytes
    from bench.orm import WAYS

    connection.ensure_connection()
    began = time.perf_counter()
    WAYS[way](Path(path), Case(case))
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "peak_bytes": peak_bytes(os.getpid())}))


if __name__ == "__main__":
    main(*sys.argv[1:])
