"""The storefront's addresses."""

from django.urls import path

from shop import storefront, webhooks

app_name = "shop"
urlpatterns = [
    path("", storefront.products, name="home"),
    path("c/<path:path>/", storefront.products, name="category"),
    path("p/<slug:slug>/", storefront.product, name="product"),
    path("media/products/<path:name>", storefront.picture),
    path("webhooks/<str:gateway>/", webhooks.webhook, name="webhook"),
]
