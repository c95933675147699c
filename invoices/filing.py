"""Where PDFs are: made once, kept in the storage, made anew when they are lost.

    content → PDF → storage → the file becomes the document's, unless another process was faster

Whoever needs one gets it here: the job, the mail, a download. An attempt that is killed leaves a file that is
nobody's, and the next one removes it.
"""

from __future__ import annotations

import uuid

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from invoices import rendering
from invoices.models import Document


def pdf_of(document: Document) -> bytes:
    """The document's PDF, from the storage or else made now; raises rendering.NotRendered. Call it outside of
    transactions."""
    kept = _kept(document)
    return kept if kept is not None else _made(document)


def _kept(document: Document) -> bytes | None:
    if not document.file.name:
        return None
    try:
        with default_storage.open(document.file.name) as file:
            content: bytes = file.read()
            return content
    except FileNotFoundError:
        return None


def _made(document: Document) -> bytes:
    content = rendering.pdf_of(document)
    name = default_storage.save(f"{document.folder}/{uuid.uuid4().hex}.pdf", ContentFile(content))
    with transaction.atomic():
        now = Document.objects.select_for_update().get(pk=document.pk)
        others = bool(now.file.name and default_storage.exists(now.file.name))
        if not others:
            Document.objects.filter(pk=document.pk).update(file=name)
    if others:  # the same bytes: somebody was faster
        default_storage.delete(name)
    else:
        _remove_all_but(document, name)
    document.refresh_from_db(fields=["file"])
    return content


def _remove_all_but(document: Document, name: str) -> None:
    """Remove what attempts that were killed have stored."""
    for other in default_storage.listdir(document.folder)[1]:
        if (path := f"{document.folder}/{other}") != name:
            default_storage.delete(path)
