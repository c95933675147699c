from django.apps import AppConfig


class ShopConfig(AppConfig):
    """Catalogue; later cart, orders, payments and stock. Imports no sibling but `tasks`."""

    name = "shop"
    verbose_name = "Catalogue"

    def ready(self) -> None:
        """Register the handlers of our jobs: whoever creates a job must know its queue."""
        from shop import tasks  # noqa: F401
