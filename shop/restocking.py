"""By beat: who waits for a product is told that it can be had again, each once.

No writer of stock has to tell: the few who wait ask the catalogue. So an import of a million rows is not
slowed, and every way in which stock comes back is seen (imports, undos, returns, staff). The ledger names the
entry that brought it back. What is sold out again by then is not told of; its subscriptions go on waiting.
"""

from __future__ import annotations

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now

from shop import signals
from shop.models import Product, StockMovement, Subscription
from shop.models.subscription import SubscriptionQuerySet

log = structlog.get_logger(__name__)


def tell(*, limit: int = 500) -> int:
    """Announce up to so many, who asked first first; returns how many were told.

    Each is a transaction of its own, safe beside another tick's; one that fails holds up no other.
    """
    due = _due().order_by("asked_at", "pk").values_list("pk", flat=True)
    return sum(_tell(pk) for pk in list(due[:limit]))


def _due() -> SubscriptionQuerySet:
    """Confirmed ones whose product can be bought at this moment."""
    there = Product.objects.published().in_stock().filter(Q(parent=None) | Q(parent__published=True))
    variants = Product.objects.filter(parent=OuterRef("pk"))
    sold = there.filter(~Exists(variants), pk=OuterRef("product_id"))
    waiting = Subscription.objects.standing().filter(kind=Subscription.Kind.STOCK, confirmed_at__isnull=False)
    return waiting.filter(Exists(sold))


def _tell(pk: int) -> bool:
    try:
        return _tell_one(pk)
    except Exception:  # the others must not wait for this one; the next tick comes
        log.exception("could not be told that a product is back", subscription=pk)
        return False


@transaction.atomic
def _tell_one(pk: int) -> bool:
    subscription = _due().select_for_update(of=("self",), skip_locked=True).filter(pk=pk).first()
    product = subscription and subscription.known_product
    if not product:
        return False
    Subscription.objects.filter(pk=pk).update(used_at=Now())
    signals.back_in_stock.send(
        sender=Subscription, subscription=subscription, product=product, movement=_brought_back(product)
    )
    return True


def _brought_back(product: Product) -> int:
    """The number of the ledger's last entry that took the stock above zero."""
    rises = StockMovement.objects.filter(product=product, balance__gt=0, balance__lte=F("quantity"))
    return rises.order_by("-pk").values_list("pk", flat=True).first() or 0
