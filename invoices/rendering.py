"""The PDF of a document: its words → what the fonts can print → Typst, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from invoices import glyphs, wording
from invoices.models import Document

_SCRIPT = Path(__file__).with_name("typesetting.py")
_SECONDS = 60  # some 0.3 are usual


class NotRendered(Exception):  # noqa: N818 - it is an outcome
    """Typst could not make the PDF; the text has its words."""


def pdf_of(document: Document) -> bytes:
    """PDF/UA-1, the same bytes whenever it is made; raises NotRendered. Takes some tenths of a second."""
    data = json.dumps(_printable(wording.of(document)))
    command = [sys.executable, str(_SCRIPT), str(int(document.issued_at.timestamp()))]
    try:
        done = subprocess.run(command, input=data.encode(), capture_output=True, check=True, timeout=_SECONDS)
    except subprocess.CalledProcessError as error:
        raise NotRendered(f"{document} could not be made: {error.stderr.decode()[-2000:]}") from error
    except subprocess.TimeoutExpired as error:
        raise NotRendered(f"{document} was not made within {_SECONDS} seconds.") from error
    return done.stdout


def _printable(value: Any) -> Any:
    """All texts in it as the fonts can print them."""
    if isinstance(value, str):
        return glyphs.printable(value)
    if isinstance(value, dict):
        return {name: _printable(part) for name, part in value.items()}
    return [_printable(part) for part in value] if isinstance(value, list) else value
