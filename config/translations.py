"""The catalogues of `locale/`: what is said to customers, taken from the code, and compiled. Babel does both:
no machine needs gettext's programs.

Only texts that are marked are found (`gettext`, `{% translate %}`): the admin's are not, as it stays English.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.apps import apps
from django.conf import settings
from django.utils.translation.template import templatize

_SOURCE = "en"  # the language of the texts in the code
_MARKS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
# Those of CLDR, which Django's own catalogues have, too; Babel's for Arabic are others.
_PLURALS = {
    "ar": "nplurals=6; plural="
    "n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 && n%100<=99 ? 4 : 5;",
    "fr": "nplurals=2; plural=(n > 1);",
}
_ALIKE = "nplurals=2; plural=(n != 1);"
_STAFFS = {"admin", "unfold"}  # folders of templates
# In a header these would change with every run, and with whoever runs it.
_RESTLESS = re.compile(
    rb'^"(?:POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team|Generated-By|'
    rb"Report-Msgid-Bugs-To|Project-Id-Version):.*\n",
    re.MULTILINE,
)


def languages() -> list[str]:
    """The codes of those that have a catalogue."""
    return [code for code, _ in settings.LANGUAGES if code != _SOURCE]


def catalogue_path(language: str) -> Path:
    """Where its .po is; the .mo is beside it."""
    return Path(settings.LOCALE_PATHS[0]) / language / "LC_MESSAGES" / "django.po"


def texts() -> Catalog:
    """All texts that are marked in our apps and templates, each with the files that it is in."""
    found = Catalog(fuzzy=False)
    for path in _files():
        place = path.relative_to(settings.BASE_DIR).as_posix()
        source = path.read_text()
        if path.suffix != ".py":
            # What is not marked becomes blanks, whose indentation means nothing.
            source = "\n".join(line.lstrip() for line in templatize(source, origin=place).splitlines())
        for _, message, _, context in extract("python", BytesIO(source.encode()), _MARKS):
            found.add(message, locations=[(place, 0)], context=context)
    return found


def _our_apps(base: Path) -> Iterator[Path]:
    """The folders of our own apps. Those of others may lie below ours, too: in `.venv`."""
    for folder in (Path(app.path) for app in apps.get_app_configs()):
        if folder.is_relative_to(base) and not folder.relative_to(base).parts[0].startswith("."):
            yield folder


def _files() -> Iterator[Path]:
    """Python and templates, in an order that does not depend on the machine."""
    base = Path(settings.BASE_DIR)
    for folder in sorted({*_our_apps(base), base / "templates"}):
        for path in sorted(folder.rglob("*")):
            is_template = "templates" in path.parts and path.suffix in (".html", ".txt")
            is_code = path.suffix == ".py" and "migrations" not in path.parts
            if path.is_file() and (is_template or is_code) and not _STAFFS & set(path.parts):
                yield path


def read(language: str) -> Catalog:
    """Its catalogue as it is stored; an empty one where there is none yet."""
    path = catalogue_path(language)
    if path.exists():
        with path.open("rb") as file:
            return read_po(file, locale=language)
    return _empty(language)


def _empty(language: str) -> Catalog:
    comment = f"# What customers read, in {language}: docs/languages.md."
    catalogue = Catalog(locale=language, fuzzy=False, header_comment=comment)
    catalogue.mime_headers = [("Plural-Forms", _PLURALS.get(language, _ALIKE))]
    return catalogue


def updated(language: str, found: Catalog) -> Catalog:
    """The catalogue with the texts that were found: new ones are blank, those that are gone are left out, and
    nothing is guessed from what looks alike."""
    before, after = read(language), _empty(language)
    for message in found:
        if not message.id:
            continue
        known = before.get(_key(message.id), context=message.context)
        said = known.string if known and known.id == message.id else None
        after.add(message.id, said, locations=_files_of(message.locations), context=message.context)
    return after


def _key(said: str | tuple[str, ...] | list[str]) -> str:
    return said if isinstance(said, str) else said[0]


def _files_of(locations: list[tuple[str, int]]) -> list[tuple[str, int]]:
    return sorted(set(locations))


def as_po(catalogue: Catalog) -> bytes:
    """The text of a .po, the same on every machine and day; without numbers of lines, which change a lot."""
    written = BytesIO()
    write_po(written, catalogue, width=110, include_lineno=False, omit_header=False)
    return _RESTLESS.sub(b"", written.getvalue())


def as_mo(catalogue: Catalog) -> bytes:
    """What Django reads, the same every day."""
    catalogue.creation_date = catalogue.revision_date = datetime(2000, 1, 1, tzinfo=UTC)
    written = BytesIO()
    write_mo(written, catalogue)
    return written.getvalue()


def missing(catalogue: Catalog) -> list[str]:
    """The texts that it has no translation of, or not all plural forms."""
    return [
        _key(message.id)
        for message in catalogue
        if message.id
        and not (message.string if isinstance(message.string, str) else all(message.string or [""]))
    ]
