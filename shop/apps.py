from django.apps import AppConfig
from django.urls import reverse


class ShopConfig(AppConfig):
    """Catalogue, stock, carts, orders and payments. Imports no sibling but `tasks`."""

    name = "shop"
    verbose_name = "Catalogue"

    def ready(self) -> None:
        """Register our system checks and the handlers of our jobs: whoever creates a job must know its queue.
        Have imports delete nothing that was ordered, the stock ledger lead to orders, and a login bring cart
        and orders along."""
        from shop import accounts, checks, ledger, references, tasks  # noqa: F401

        accounts.connect()
        references.register(
            "orders", condition="EXISTS (SELECT FROM shop_orderline ol WHERE ol.product_id = p.id)"
        )
        ledger.leads_to("order", lambda number: reverse("admin:shop_order_number", args=[number]))
