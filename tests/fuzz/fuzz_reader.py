"""Fuzz the reader with atheris, guided by what each input reaches; not part of the test run.

    pip install atheris
    python -m tests.fuzz.fuzz_reader -max_total_time=600 -max_len=4096 -timeout=20 -rss_limit_mb=1024 FOLDER

Inputs that reach something new are kept in FOLDER (made beforehand). One that crashes, takes longer than the
timeout or more memory is written to the current folder: mend the reader, and keep the input in
`tests/fuzz/corpus`, which the tests replay.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["imports"]):
    from tests.fuzz.checking import check

CORPUS = Path(__file__).resolve().parent / "corpus"


def main() -> None:
    atheris.Setup([*sys.argv, str(CORPUS)], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
