from django.apps import AppConfig


class ShopConfig(AppConfig):
    """Catalogue, stock, carts, orders and payments. Imports no sibling but `tasks`."""

    name = "shop"
    verbose_name = "Catalogue"

    def ready(self) -> None:
        """Register the handlers of our jobs: whoever creates a job must know its queue. Have imports delete
        nothing that was ordered."""
        from shop import references, tasks  # noqa: F401

        references.register(
            "orders", condition="EXISTS (SELECT FROM shop_orderline ol WHERE ol.product_id = p.id)"
        )
