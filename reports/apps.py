from django.apps import AppConfig


class ReportsConfig(AppConfig):
    """Sales reports: what is asked (`questions`), what was found (`results`), how it looks (`rendering`)."""

    name = "reports"
    verbose_name = "Reports"
