"""The storefront's addresses."""

from django.urls import path, re_path
from django.views.i18n import set_language

from shop import (
    account_pages,
    cart_pages,
    checkout_page,
    order_page,
    storefront,
    subscription_pages,
    webhooks,
)

app_name = "shop"
_SIGNED = r"(?P<token>[0-9]{1,18}\.[A-Za-z0-9_-]{20,64})"  # shop.subscriptions.link
urlpatterns = [
    path("", storefront.products, name="home"),
    path("c/<path:path>/", storefront.products, name="category"),
    path("p/<slug:slug>/", storefront.product, name="product"),
    path("media/products/<path:name>", storefront.picture, name="picture"),
    path("language/", set_language, name="language"),
    path("webhooks/<str:gateway>/", webhooks.webhook, name="webhook"),
    # Buying.
    path("cart/", cart_pages.cart, name="cart"),
    path("cart/add/", cart_pages.add, name="add"),
    path("cart/change/", cart_pages.change, name="change_cart"),
    path("checkout/", checkout_page.checkout, name="checkout"),
    re_path(r"^orders/(?P<token>[A-Za-z0-9_-]{32})/$", order_page.order, name="order"),
    re_path(r"^orders/(?P<token>[A-Za-z0-9_-]{32})/pay/$", order_page.pay, name="pay"),
    re_path(r"^orders/(?P<token>[A-Za-z0-9_-]{32})/cancel/$", order_page.cancel, name="cancel_order"),
    # Mails that are asked for; what links in them lead to.
    path("mails/stock/", subscription_pages.stock, name="mail_ask_stock"),
    path("mails/cart/", subscription_pages.cart, name="mail_ask_cart"),
    re_path(rf"^mails/{_SIGNED}/confirm/$", subscription_pages.confirm, name="mail_confirm"),
    re_path(rf"^mails/{_SIGNED}/end/$", subscription_pages.end, name="mail_end"),
    re_path(rf"^mails/{_SIGNED}/cart/$", subscription_pages.left, name="mail_cart"),
    path("account/mails/end/", subscription_pages.end_own, name="mail_end_own"),
    # Beside those of django-allauth (config/urls.py).
    path("account/", account_pages.orders, name="account"),
    path("account/data/", account_pages.data, name="account_data"),
    path("account/data/download/", account_pages.download, name="account_download"),
    path("account/data/erase/", account_pages.erase, name="account_erase"),
]
