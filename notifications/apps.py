from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Tells people what happened. Listens to the signals of the other apps."""

    name = "notifications"
    verbose_name = "Messages"

    def ready(self) -> None:
        """Connect the receivers, and register the delivery job for every process that may create one."""
        from notifications import personal, receivers, tasks  # noqa: F401

        receivers.connect()
        personal.connect()
