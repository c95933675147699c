"""Addresses of the pages of imports and exports, absolute, for the terminal and for mails."""

from django.conf import settings
from django.urls import reverse

from imports.models import ExportRun, ImportRun


def import_page(run: ImportRun) -> str:
    """The page that shows the import's progress and result."""
    return settings.SITE_URL + reverse("admin:imports_importrun_change", args=[run.pk])


def rejected_rows(run: ImportRun) -> str:
    """The download of the rejected rows."""
    return settings.SITE_URL + reverse("admin:imports_importrun_rejected", args=[run.pk])


def export_page(run: ExportRun) -> str:
    """The page that shows the export's progress and has its file."""
    return settings.SITE_URL + reverse("admin:imports_exportrun_change", args=[run.pk])
