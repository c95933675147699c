from django.apps import AppConfig


class TasksConfig(AppConfig):
    """The job engine: knows no domain."""

    name = "tasks"
    verbose_name = "Operations"
