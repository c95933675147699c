from django.apps import AppConfig


class ImportsConfig(AppConfig):
    """Bulk catalogue imports: every row of every file is accounted for."""

    name = "imports"
    verbose_name = "Imports"

    def ready(self) -> None:
        """Register the handlers of our jobs: whoever creates a job must know its queue. And what a product's
        page shows of imports."""
        from imports import tasks  # noqa: F401
        from imports.pages import product
        from shop import panels

        panels.register(product.changes)
