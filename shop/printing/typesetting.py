"""Typst in a process of its own: JSON in at stdin; PDF/UA, or JSON of pictures, out at stdout. Run as a
script, knows no Django.

    typesetting.py TEMPLATE pdf|png TIMESTAMP

Typst keeps some 100 MB and can't be interrupted, so it is not at home in workers and web processes. What it
is given comes as data, never as markup.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

import typst

_FONTS = Path(__file__).parent / "fonts"
_PPI = 192  # of pictures: two dots for each pixel of an SVG, of which 96 are an inch


def main() -> None:
    """Set the document; ends with 1 and Typst's words at stderr where that can't be done."""
    template, format, timestamp = sys.argv[1:]
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[_FONTS])
    options: dict[str, Any] = (
        {"format": "png", "ppi": _PPI} if format == "png" else {"format": "pdf", "pdf_standards": ["ua-1"]}
    )
    try:
        made = typst.compile(
            Path(template).read_bytes(),
            font_paths=fonts,
            ignore_system_fonts=True,
            sys_inputs={"document": sys.stdin.read()},
            timestamp=int(timestamp),  # so that the same document is the same file whenever it is made
            **options,
        )
    except typst.TypstError as error:
        sys.exit(error.diagnostic)
    sys.stdout.buffer.write(_packed(made) if format == "png" else made)


def _packed(pages: bytes | list[bytes]) -> bytes:
    """A list of pictures, of which Typst gives a single one as it is."""
    all_pages = pages if isinstance(pages, list) else [pages]
    return json.dumps([base64.b64encode(page).decode() for page in all_pages]).encode()


if __name__ == "__main__":
    main()
