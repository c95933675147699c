from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Tells people what happened. Listens to the signals of the other apps."""

    name = "notifications"
    verbose_name = "Messages"

    def ready(self) -> None:
        """Connect the receivers, register the delivery job for every process that may create one, and what
        the shop shows of mails."""
        from notifications import (  # noqa: F401
            alert_mails,
            checks,
            invoice_mails,
            order_panel,
            order_receivers,
            personal,
            receivers,
            report_mails,
            report_panel,
            report_samples,
            samples,
            subscription_receivers,
            subscription_samples,
            tasks,
        )

        receivers.connect()
        order_receivers.connect()
        invoice_mails.connect()
        subscription_receivers.connect()
        personal.connect()
        order_panel.connect()
        samples.connect()
        subscription_samples.connect()
        report_mails.connect()
        report_samples.connect()
        report_panel.connect()
        alert_mails.connect()
