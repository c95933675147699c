from django.apps import AppConfig


class ReportsConfig(AppConfig):
    """Sales reports: what is asked (`questions`), what was found (`results`), how it looks (`rendering`)."""

    name = "reports"
    verbose_name = "Reports"

    def ready(self) -> None:
        """Share out refunds as they are done; register the job, the way from it to its run, the reports,
        and what `reconcile` asks."""
        from reports import reconciling, sales, sharing, stock, tasks  # noqa: F401
        from reports.models import ReportRun
        from tasks import owners

        sharing.connect()
        reconciling.connect()
        sales.connect()
        stock.connect()
        owners.register("report", "reports.view_reportrun", "admin:reports_reportrun_change", owned=ReportRun)
