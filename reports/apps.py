from django.apps import AppConfig


class ReportsConfig(AppConfig):
    """Sales reports: what is asked (`questions`), what was found (`results`), how it looks (`rendering`)."""

    name = "reports"
    verbose_name = "Reports"

    def ready(self) -> None:
        """Share out refunds as they are done; register the job, the reports, and what `reconcile` asks."""
        from reports import reconciling, sales, sharing, stock, tasks  # noqa: F401

        sharing.connect()
        reconciling.connect()
        sales.connect()
        stock.connect()
