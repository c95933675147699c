from django.apps import AppConfig


class ImportsConfig(AppConfig):
    """Bulk catalogue imports: every row of every file is accounted for."""

    name = "imports"
    verbose_name = "Imports"

    def ready(self) -> None:
        """Register the handlers of our jobs: whoever creates a job must know its queue."""
        from imports import tasks  # noqa: F401
