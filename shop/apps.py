from django.apps import AppConfig


class ShopConfig(AppConfig):
    """Catalogue, stock, carts, orders and payments. Imports no sibling but `tasks`."""

    name = "shop"
    verbose_name = "Catalogue"

    def ready(self) -> None:
        """Have imports delete nothing that was ordered."""
        from shop import references

        references.register(
            "orders", condition="EXISTS (SELECT FROM shop_orderline ol WHERE ol.product_id = p.id)"
        )
