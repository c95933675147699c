from django.apps import AppConfig
from django.urls import reverse


class ImportsConfig(AppConfig):
    """Bulk catalogue imports: every row of every file is accounted for."""

    name = "imports"
    verbose_name = "Files"

    def ready(self) -> None:
        """Register the handlers of our jobs: whoever creates a job must know its queue. And what a product's
        page shows of imports: its changes, and the way from its stock ledger to the import. And the ways from
        the list of products to their export, and from jobs to what they work for."""
        from imports import tasks  # noqa: F401
        from imports.models import ExportRun, ImportRun
        from imports.pages import product
        from shop import ledger, panels
        from shop.doors import Door, product_doors
        from tasks import owners

        panels.register(product.changes)
        ledger.leads_to("import", lambda pk: reverse("admin:imports_importrun_change", args=[pk]))
        url_name, permission = "admin:imports_exportrun_add", "imports.add_exportrun"
        product_doors.append(Door("export", "Export…", "Export selected…", url_name, permission))
        see, page = "imports.view_{}", "admin:imports_{}_change"
        owners.register("import", see.format("importrun"), page.format("importrun"), owned=ImportRun)
        owners.register("export", see.format("exportrun"), page.format("exportrun"), owned=ExportRun)
