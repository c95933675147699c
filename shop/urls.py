"""The storefront's addresses."""

from django.urls import path

from shop import storefront

app_name = "shop"
urlpatterns = [
    path("", storefront.products, name="home"),
    path("c/<path:path>/", storefront.products, name="category"),
    path("p/<slug:slug>/", storefront.product, name="product"),
    path("media/products/<path:name>", storefront.picture),
]
