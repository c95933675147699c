from django.apps import AppConfig


class ShopConfig(AppConfig):
    """Catalogue; later cart, orders, payments and stock. Imports no sibling but `tasks`."""

    name = "shop"
    verbose_name = "Catalogue"
