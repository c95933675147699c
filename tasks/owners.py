"""What jobs work for, as links, and whose that is. Apps whose things have jobs register here when ready.

owners.register("import", "imports.view_importrun", "admin:imports_importrun_change", owned=ImportRun)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tasks.models import Job


@dataclass(frozen=True, slots=True)
class _Thing:
    permission: str
    address: str
    owned: type[Model] | None


_things: dict[str, _Thing] = {}


def register(subject: str, permission: str, address: str, *, owned: type[Model] | None = None) -> None:
    """Have jobs whose subject is `<subject>/<key>` lead to the page `address`, an address' name that takes
    the key, for those who have `permission`. `owned`: a model whose field `owner` is a user."""
    _things[subject] = _Thing(permission, address, owned)


def shown(jobs: Iterable[Job], user: Any) -> dict[str, tuple[SafeString, str]]:
    """By subject: what `user` sees of the thing, a link where its page is open to them, and its owner's name,
    or a blank. One query for each kind of thing that has owners."""
    subjects = {job.subject for job in jobs if job.subject}
    found = {subject: (format_html("{}", subject), "") for subject in subjects}
    for kind, keys in _keys(subjects).items():
        thing = _things[kind]
        is_open, names = user.has_perm(thing.permission), _names(thing.owned, keys)
        for key in keys:
            text = format_html("{} {}", kind.capitalize(), key)
            if is_open:
                address = reverse(thing.address, args=[key])
                text = format_html('<a class="tally-link" href="{}">{}</a>', address, text)
            found[f"{kind}/{key}"] = (text, names.get(key, ""))
    return found


def _keys(subjects: Iterable[str]) -> dict[str, list[int]]:
    """By kind of thing that is known here, the keys in the subjects."""
    keys: dict[str, list[int]] = {}
    for subject in subjects:
        kind, _, key = subject.partition("/")
        if kind in _things and key.isascii() and key.isdecimal():
            keys.setdefault(kind, []).append(int(key))
    return keys


def _names(owned: type[Model] | None, keys: Iterable[int]) -> dict[int, str]:
    if owned is None:
        return {}
    mine = owned._default_manager.filter(pk__in=keys, owner__isnull=False)
    return dict(mine.values_list("pk", "owner__username"))
