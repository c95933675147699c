from django.apps import AppConfig


class ReportsConfig(AppConfig):
    """Sales reports: what is asked (`questions`), what was found (`results`), how it looks (`rendering`)."""

    name = "reports"
    verbose_name = "Reports"

    def ready(self) -> None:
        """Register the kind of job for every process that may create one."""
        from reports import tasks  # noqa: F401
