"""What sales may be told apart by, and picked out by: each as SQL over orders, and over the roll-up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reports.questions import Grouping


@dataclass(frozen=True, slots=True)
class Dimension:
    """`of_line` is SQL over an order `o`, its captured payment `p` and its line `l`; `of_order` the same for
    what belongs to no line, such as the delivery."""

    name: str
    of_line: str
    of_order: str = "NULL"

    @property
    def needs_payment(self) -> bool:
        return "p." in self.of_line


def _of_orders(name: str, sql: str) -> Dimension:
    return Dimension(name, sql, sql)


# Lines of an order have one rate, and so has its delivery.
_RATE = "(SELECT max(tax_percent) FROM shop_orderline WHERE order_id = o.id)"
COUNTRY = _of_orders("country", "upper(coalesce(o.shipping_address ->> 'country', ''))")
PAYMENT = _of_orders("payment", "coalesce(p.gateway, '')")
DISCOUNT = _of_orders("discount", "o.discount_code")
CUSTOMER = _of_orders("customer", "lower(o.email)")
TAX_RATE = Dimension("tax_rate", f"coalesce(l.tax_percent, {_RATE})", f"coalesce({_RATE}, 0)")
CATEGORY = Dimension("category", "l.category")
PRODUCT = Dimension("product", "coalesce(nullif(l.parent_sku, ''), l.sku)")
PRODUCT_NAME = Dimension("product_name", "coalesce(nullif(l.parent_name, ''), l.name)")
SKU = Dimension("sku", "l.sku")
NAME = Dimension("name", "l.name")

# The first is what rows are told apart by, a second one the name to show with it.
OF_GROUPING: Mapping[Grouping, tuple[Dimension, ...]] = {
    Grouping.PRODUCT: (PRODUCT, PRODUCT_NAME),
    Grouping.VARIANT: (SKU, NAME),
    Grouping.CATEGORY: (CATEGORY,),
    Grouping.CUSTOMER: (CUSTOMER,),
    Grouping.COUNTRY: (COUNTRY,),
    Grouping.TAX_RATE: (TAX_RATE,),
    Grouping.PAYMENT: (PAYMENT,),
    Grouping.DISCOUNT: (DISCOUNT,),
}


_OF_ORDERS: Mapping[str, tuple[Dimension, str]] = {
    "country": (COUNTRY, "{} = upper(%(country)s)"),
    "payment": (PAYMENT, "{} = %(payment)s"),
    "discount": (DISCOUNT, "{} = upper(%(discount)s)"),
}
_BELOW = "(lower({0}) = lower(%(category)s) OR starts_with(lower({0}), lower(%(category)s) || ' > '))"


def condition(name: str, *, rolled: bool) -> str:
    """What a filter demands, as SQL over orders and lines, or over the tables of the roll-up."""
    if name in _OF_ORDERS:
        dimension, wanted = _OF_ORDERS[name]
        return wanted.format(dimension.name if rolled else dimension.of_line)
    if name == "category":
        return _BELOW.format("category" if rolled else "l.category")
    product = "product" if rolled else PRODUCT.of_line
    return f"({'sku' if rolled else 'l.sku'} = %(sku)s OR {product} = %(sku)s)"


ORDER_FILTERS = frozenset(_OF_ORDERS)
LINE_FILTERS = frozenset({"category", "sku"})
FILTERS = (*_OF_ORDERS, "category", "sku")
