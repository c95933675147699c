"""docs/operations.md as a page of the admin, so that an alert can lead to its section."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe


@cache
def rendered() -> SafeString:
    """The document as HTML, each heading with its anchor, without its pictures: they show the pages that are
    beside it here. It is our own, and so is its HTML."""
    from markdown_it import MarkdownIt  # only where somebody reads it

    document = settings.BASE_DIR / "docs" / "operations.md"
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(document.read_text())
    for heading, inline in pairwise(tokens):
        if heading.type == "heading_open":
            heading.attrSet("id", anchor(inline.content))
    html: str = parser.renderer.render(tokens, parser.options, {})
    return mark_safe(re.sub(r"<p><img[^>]*></p>\n", "", html))  # noqa: S308


def anchor(title: str) -> str:
    """As GitHub makes it of a heading.

    >>> anchor("No worker on a queue")
    'no-worker-on-a-queue'
    """
    return re.sub(r"[^\w -]", "", title.strip().lower()).replace(" ", "-")


def context(**more: Any) -> dict[str, Any]:
    """For its template."""
    return {"title": "Operations", "document": rendered(), **more}
