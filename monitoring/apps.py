from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    """Sees whether all is well, and tells people when it is not. Knows the engine and no domain."""

    name = "monitoring"
    verbose_name = "Operations"

    def ready(self) -> None:
        """Register the checks, and have alerts posted."""
        from monitoring import servers, tasks, work

        servers.connect()
        work.connect()
        tasks.connect()
