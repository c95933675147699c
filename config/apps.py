from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ConfigConfig(AppConfig):
    """Wires the others: settings, addresses, the admin's looks, who may do what."""

    name = "config"

    def ready(self) -> None:
        """Complete the groups of staff after every migration, note who sets up a second factor, add the
        reports that need several apps, and register the checks of the environment."""
        from allauth.mfa.signals import authenticator_added
        from django_structlog.celery.signals import modify_context_before_task_publish

        from config import checks, health_reports, logs, monitors, roles, staff_mfa  # noqa: F401

        post_migrate.connect(roles.complete, dispatch_uid="config.roles")
        health_reports.connect()
        monitors.connect()
        modify_context_before_task_publish.connect(logs.keep_ids, dispatch_uid="config.logs")
        authenticator_added.connect(staff_mfa.note_set_up, dispatch_uid="config.staff_mfa")
