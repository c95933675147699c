from django.apps import AppConfig
from django.db.models.signals import post_migrate


class TasksConfig(AppConfig):
    """The job engine: knows no domain."""

    name = "tasks"
    verbose_name = "Operations"

    def ready(self) -> None:
        """See to it that every queue has its row, by which it can be paused."""
        from tasks import operating

        post_migrate.connect(operating.ensure_queues, sender=self, dispatch_uid="tasks.queues")
