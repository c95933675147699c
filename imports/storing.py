"""Stored files: each upload and each export has a folder of its own, which goes with its last file."""

from __future__ import annotations

import os
from contextlib import suppress

from django.core.files.storage import default_storage


def remove(*names: str | None) -> None:
    """Delete the stored files of these names, gone or blank ones too, and folders that have no other."""
    for name in filter(None, names):
        default_storage.delete(name)
        remove_folder(os.path.dirname(name))


def remove_folder(folder: str) -> None:
    """Delete the folder if it is there and empty. A storage such as S3, which can't tell a path, has none."""
    with suppress(OSError, NotImplementedError):
        os.rmdir(default_storage.path(folder))
