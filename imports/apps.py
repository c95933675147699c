from django.apps import AppConfig


class ImportsConfig(AppConfig):
    """Bulk catalogue imports: every row of every file is accounted for."""

    name = "imports"
    verbose_name = "Imports"

    def ready(self) -> None:
        """Register the handlers of our jobs, because whoever creates a job must know its queue, and the way
        from the list of products to their export."""
        from imports import tasks  # noqa: F401
        from shop.doors import Door, product_doors

        url_name, permission = "admin:imports_exportrun_add", "imports.add_exportrun"
        product_doors.append(Door("export", "Export…", "Export selected…", url_name, permission))
