from django.apps import AppConfig
from django.urls import reverse


class ImportsConfig(AppConfig):
    """Bulk catalogue imports: every row of every file is accounted for."""

    name = "imports"
    verbose_name = "Imports"

    def ready(self) -> None:
        """Register the handlers of our jobs: whoever creates a job must know its queue. And the way from an
        entry in a stock ledger to the import that made it."""
        from imports import tasks  # noqa: F401
        from shop import ledger

        ledger.leads_to("import", lambda pk: reverse("admin:imports_importrun_change", args=[pk]))
