"""Typst in a process of its own: JSON in at stdin, PDF/UA out at stdout. Run as a script, knows no Django.

Typst keeps some 100 MB and can't be interrupted, so it is not at home in workers and web processes. What it
is given comes as data, never as markup.
"""

from __future__ import annotations

import sys
from pathlib import Path

import typst

_HERE = Path(__file__).parent


def main() -> None:
    """Set the document; ends with 1 and Typst's words at stderr where that can't be done."""
    timestamp, data = int(sys.argv[1]), sys.stdin.read()
    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[_HERE / "fonts"]
    )
    try:
        pdf = typst.compile(
            (_HERE / "document.typ").read_bytes(),
            format="pdf",
            font_paths=fonts,
            ignore_system_fonts=True,
            sys_inputs={"document": data},
            pdf_standards=["ua-1"],
            timestamp=timestamp,  # so that the same document is the same file whenever it is made
        )
    except typst.TypstError as error:
        sys.exit(error.diagnostic)
    sys.stdout.buffer.write(pdf)


if __name__ == "__main__":
    main()
