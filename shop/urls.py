"""The storefront's addresses."""

from django.urls import path

from shop import account_pages, storefront

app_name = "shop"
urlpatterns = [
    path("", storefront.products, name="home"),
    path("c/<path:path>/", storefront.products, name="category"),
    path("p/<slug:slug>/", storefront.product, name="product"),
    path("media/products/<path:name>", storefront.picture),
    # Beside those of django-allauth (config/urls.py).
    path("account/", account_pages.orders, name="account"),
    path("account/data/", account_pages.data, name="account_data"),
    path("account/data/download/", account_pages.download, name="account_download"),
    path("account/data/erase/", account_pages.erase, name="account_erase"),
]
