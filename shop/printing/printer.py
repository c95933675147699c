"""A filled template as PDF or as pictures: data → what fonts can print → Typst, in a process of its own."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from shop.printing import glyphs

_SCRIPT = Path(__file__).with_name("typesetting.py")
_SECONDS = 60  # some 0.3 are usual


class NotPrinted(Exception):  # noqa: N818 - it is an outcome
    """Typst could not make it; the text has its words."""


def pdf(template: Path, data: dict[str, Any], *, made_at: datetime) -> bytes:
    """PDF/UA-1 of the template, which finds `data` as JSON in `sys.inputs.document`. The same bytes whenever
    it is made. Takes some tenths of a second; raises NotPrinted."""
    return _run(template, "pdf", data, made_at)


def pngs(template: Path, data: dict[str, Any]) -> list[bytes]:
    """Each of its pages as a picture, two pixels for each of its points; raises NotPrinted."""
    pages = json.loads(_run(template, "png", data, None))
    return [base64.b64decode(page) for page in pages]


def _run(template: Path, format: str, data: dict[str, Any], made_at: datetime | None) -> bytes:
    timestamp = int(made_at.timestamp()) if made_at else 0
    command = [sys.executable, str(_SCRIPT), str(template), format, str(timestamp)]
    text = json.dumps(_printable(data)).encode()
    try:
        done = subprocess.run(command, input=text, capture_output=True, check=True, timeout=_SECONDS)
    except subprocess.CalledProcessError as error:
        raise NotPrinted(error.stderr.decode()[-2000:]) from error
    except subprocess.TimeoutExpired as error:
        raise NotPrinted(f"It was not made within {_SECONDS} seconds.") from error
    return done.stdout


def _printable(value: Any) -> Any:
    """All texts in it as the fonts can print them."""
    if isinstance(value, str):
        return glyphs.printable(value)
    if isinstance(value, dict):
        return {name: _printable(part) for name, part in value.items()}
    return [_printable(part) for part in value] if isinstance(value, list) else value
