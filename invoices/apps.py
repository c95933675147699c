from django.apps import AppConfig


class InvoicesConfig(AppConfig):
    """Invoices and credit notes of the shop's orders. Listens to what orders announce."""

    name = "invoices"
    verbose_name = "Invoices"

    def ready(self) -> None:
        """Connect the receivers; register the job and the way from it to its document, the check of
        settings, and what pages, exports of personal data and `reconcile` show of invoices."""
        from invoices import checks, order_panel, pages, personal, receivers, reconciling, tasks  # noqa: F401
        from tasks import owners

        receivers.connect()
        order_panel.connect()
        pages.connect()
        personal.connect()
        reconciling.connect()
        owners.register("document", "invoices.view_document", "admin:invoices_document_change")
