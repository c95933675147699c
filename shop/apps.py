from django.apps import AppConfig


class ShopConfig(AppConfig):
    """Catalogue, stock, carts, orders and payments. Imports no sibling but `tasks`."""

    name = "shop"
    verbose_name = "Catalogue"

    def ready(self) -> None:
        """Register the handlers of our jobs: whoever creates a job must know its queue. Have imports delete
        nothing that was ordered, and have a login bring cart and orders along."""
        from shop import accounts, references, tasks  # noqa: F401

        accounts.connect()
        references.register(
            "orders", condition="EXISTS (SELECT FROM shop_orderline ol WHERE ol.product_id = p.id)"
        )
