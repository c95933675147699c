"""Asking for a mail, and what links in such mails lead to: confirm, take back, bring a cart back.

Thin: they parse, call one verb, and show its result. Links work without login. What they do is done by a
button: programs that look for viruses follow every link of a mail. All pages work without JavaScript.
"""

from __future__ import annotations

from uuid import UUID

from allauth.core import ratelimit
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from shop import cart_rows, carts, personal_data, session_cart, subscriptions
from shop.account_pages import CustomerRequest
from shop.languages import apart
from shop.models import Product, Subscription
from shop.problems import Refused
from shop.subscription_forms import CART_WORDING, STOCK_WORDING, SubscribeForm, own_address

State, Kind = Subscription.State, Subscription.Kind


@never_cache
@require_POST
def stock(request: HttpRequest) -> HttpResponse:
    """Ask for a mail when a product that is sold out can be had again."""
    product = _published(request.POST.get("product", ""))
    page = product.parent or product
    if product.stock > 0:
        return redirect("shop:product", page.slug)
    form = SubscribeForm(request.POST, own=own_address(request))
    if not form.is_valid():
        form.mark_wrong()
        context = {"form": form, "sold": product, "page": page, "stock_wording": STOCK_WORDING}
        return render(request, "storefront/mail_stock.html", context, status=422)
    asking = form.asking(request, STOCK_WORDING)
    if too_many := _too_many(request, form):
        return too_many
    subscriptions.ask(by=asking, product=product)
    return _asked(request, asking.email, is_sure=asking.is_verified)


@never_cache
@require_POST
def cart(request: HttpRequest) -> HttpResponse:
    """Ask to be reminded of the visitor's cart; without the tick, take that back."""
    here = session_cart.found(request)
    if here is None or not here.lines.exists():
        return redirect("shop:cart")
    there = subscriptions.of_cart(here)
    if there and not request.POST.get("wants"):
        subscriptions.withdraw(there)
    if there or not request.POST.get("wants"):
        return redirect("shop:cart")
    form = SubscribeForm(request.POST, own=own_address(request))
    if not form.is_valid():
        form.mark_wrong()
        context = {"reminder_form": form, "cart_wording": CART_WORDING, "is_wanted": True}
        return render(request, "storefront/mail_cart.html", context, status=422)
    asking = form.asking(request, CART_WORDING)
    if too_many := _too_many(request, form):
        return too_many
    subscriptions.ask(by=asking, cart=here)
    return _asked(request, asking.email, is_sure=asking.is_verified)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether the address's owner wants it; note that they do."""
    subscription = _found(token, subscriptions.CONFIRM)
    if request.method == "POST":
        subscription = subscriptions.confirm(subscription)
    if subscription.state == State.ASKED:
        return _page(
            request,
            title=_("Shall we write to you?"),
            text=_wish(subscription),
            button=_("Yes, write to me"),
        )
    if subscription.state == State.CONFIRMED:
        return _page(request, title=_("We write to you"), text=_wish(subscription))
    if subscription.state == State.USED:
        return _page(request, title=_("We have written to you"), text=_("Look into your mail."))
    return _page(request, title=_("You get no such mail"), text=_("This was taken back, or is over."))


# Mail programs take consents back with one POST of their own, which has no token of ours (RFC 8058): the
# signed address says enough.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether to take the consent back; do it."""
    subscription = _found(token, subscriptions.END)
    if request.method == "POST":
        subscriptions.withdraw_all(subscription)
        return _page(request, title=_("You get no such mail any more"), text=_nothing_more(subscription))
    return _page(
        request,
        title=_("No such mail any more?"),
        text=_nothing_more(subscription),
        button=_("Write to me no more"),
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def left(request: HttpRequest, token: str) -> HttpResponse:
    """Show a cart that was left; bring it back into the visitor's own. Where it is that, go there."""
    asked = _found(token, subscriptions.CART).cart
    rows = cart_rows.rows(asked) if asked else []
    if not asked or not rows:
        text = _("It was ordered, or emptied, or nobody came back to it for very long.")
        return _page(request, title=_("This cart is gone"), text=text)
    if session_cart.found(request) == asked:
        return redirect("shop:cart")
    if request.method == "POST":
        try:
            carts.bring_back(left=asked, into=session_cart.opened(request))
        except Refused as refused:
            return _page(request, title=_("Not done"), text=refused.problems[0].message)
        return redirect("shop:cart")
    return render(request, "storefront/mail_left.html", {"rows": rows})


@require_POST
@never_cache
@login_required
def end_own(request: CustomerRequest) -> HttpResponse:
    """Take back what the customer asked for, from the account's page."""
    mine = personal_data.subscriptions_of(personal_data.of_customer(request.user))
    pk = request.POST.get("subscription", "")
    known = pk if pk.isascii() and pk.isdecimal() and len(pk) < 19 else None
    subscriptions.withdraw(get_object_or_404(mine, pk=known))
    return redirect("shop:account_data")


def _published(text: str) -> Product:
    """The product that can be bought once it is there; a wrong id, or what is not sold, gets 404."""
    try:
        wanted = UUID(text)
    except ValueError as error:
        raise Http404 from error
    sold = Product.objects.published().select_related("parent").with_has_variants()
    product = get_object_or_404(sold, pk=wanted)
    if product.has_variants or (product.parent and not product.parent.published):
        raise Http404
    return product


def _found(token: str, purpose: str) -> Subscription:
    """The one that the link is about. A forged link learns nothing."""
    subscription = subscriptions.found(token, purpose)
    if subscription is None:
        raise Http404
    return subscription


def _too_many(request: HttpRequest, form: SubscribeForm) -> HttpResponse | None:
    """What to answer somebody who asks too often, or for an address that was asked a lot; else None."""
    may = ratelimit.consume(request, action="subscribe")
    if may and not form.own:
        address = form.cleaned_data["email"].lower()
        may = ratelimit.consume(request, action="subscribe_address", key=address)
    if may:
        return None
    text = _("From here, or for this address, this was asked very often. Try again tomorrow.")
    return _page(request, title=_("Not now"), text=text, status=429)


def _asked(request: HttpRequest, email: str, *, is_sure: bool) -> HttpResponse:
    """The same answer whether or not the address is known."""
    if is_sure:
        text = _("We write to %(email)s.") % {"email": apart(email)}
        return _page(request, title=_("That is noted"), text=text)
    text = _("We have written to %(email)s. Follow the link in that mail; only then does this count.")
    return _page(request, title=_("Look into your mail"), text=text % {"email": apart(email)})


def _wish(subscription: Subscription) -> str:
    """What they have asked for, as they read it."""
    if subscription.kind == Kind.STOCK:
        product = subscription.known_product
        name = product.name if product else _("a product that is not sold any more")
        return f"{apart(name)}: {apart(subscription.wording)}"
    return subscription.wording


def _nothing_more(subscription: Subscription) -> str:
    if subscription.kind == Kind.STOCK:
        text = _("Nothing is sent to %(email)s when products are back in stock, unless you ask for it anew.")
    else:
        text = _("%(email)s is not reminded of carts, unless you ask for it anew.")
    return text % {"email": apart(subscription.email)}


def _page(
    request: HttpRequest, *, title: str, text: str, button: str = "", status: int = 200
) -> HttpResponse:
    """A page that says something; with a button that posts to where it is."""
    context = {"title": title, "text": text, "button": button}
    return render(request, "storefront/mail_said.html", context, status=status)
