"""`manage.py make_translations`: bring the catalogues up to what the code says, and compile them."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from config import translations


class Command(BaseCommand):
    """Writes `locale/<language>/LC_MESSAGES/django.po` and `.mo`, and names the texts to be translated."""

    help = "Take the texts out of code and templates into the catalogues, and compile these."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        found = translations.texts()
        for language in translations.languages():
            catalogue = translations.updated(language, found)
            path = translations.catalogue_path(language)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(translations.as_po(catalogue))
            # Compiled from the file, so that both are the same whatever happens in between.
            path.with_suffix(".mo").write_bytes(translations.as_mo(translations.read(language)))
            blank = translations.missing(catalogue)
            self.stdout.write(f"{language}: {len(catalogue)} texts, {len(blank)} not translated")
            for text in blank:
                self.stdout.write(f"  {text}")
