"""How the admin looks and what its sidebar and start page offer. Colours: static/tallyman/tokens.css."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy

from tasks.flower_links import to_flower

type Item = dict[str, Any]


class Page(NamedTuple):
    """A page of the admin. The permission that opens it also names it: `shop.view_product` is the list of
    products, `imports.add_importrun` the form of a new import. `own_view` is another page of that model's.
    """

    title: str
    permission: str
    icon: str
    description: str
    own_view: str = ""

    @property
    def model(self) -> str:
        """As addresses have it: `shop_product`."""
        app, _, codename = self.permission.partition(".")
        return f"{app}_{codename.partition('_')[2]}"

    @property
    def view(self) -> str:
        """The end of its address' name."""
        return self.own_view or ("add" if ".add_" in self.permission else "changelist")


_GROUPS = {
    "Catalogue": [
        Page("Products", "shop.view_product", "inventory_2", "What is sold, and how much is left"),
        Page("Categories", "shop.view_category", "account_tree", "The tree that products hang in"),
        Page("Imports", "imports.view_importrun", "checklist", "Every file and what became of it"),
        Page("Import a file", "imports.add_importrun", "upload_file", "From CSV to catalogue"),
        Page("Saved mappings", "imports.view_savedmapping", "bookmark", "What is known of files seen before"),
        Page("Exports", "imports.view_exportrun", "download", "The catalogue as a file"),
    ],
    "Sales": [
        Page("Orders", "shop.view_order", "shopping_bag", "What was bought, paid and sent"),
        Page("Invoices", "invoices.view_document", "receipt_long", "And credit notes, as PDF"),
        Page("Discount codes", "shop.view_discountcode", "sell", "Words that take something off"),
        Page("Delivery", "shop.view_deliverymethod", "local_shipping", "How orders get to customers"),
        Page("Tax rates", "shop.view_taxrate", "percent", "By country and region"),
    ],
    "Reports": [
        Page("Reports", "reports.view_reportrun", "monitoring", "Any days, by anything, as a file", "ask"),
        Page("Scheduled reports", "reports.view_reportschedule", "event_repeat", "What comes when, to whom"),
        Page("Reports made", "reports.view_reportrun", "lab_profile", "And their files"),
    ],
    "Messages": [
        Page("Outbox", "notifications.view_message", "outgoing_mail", "Mails, sent and waiting"),
        Page("Kinds of mail", "notifications.view_kindswitch", "drafts", "What the shop writes, and whether"),
        Page("Held back", "notifications.view_suppression", "unsubscribe", "Addresses that get no mail"),
        Page("Mails asked for", "shop.view_subscription", "mark_email_read", "Who agreed to what, and when"),
    ],
    "Operations": [
        Page("Jobs", "tasks.view_job", "conveyor_belt", "What waits, runs, or was given up"),
        Page("Queues", "tasks.view_queue", "low_priority", "What waits where; pause one"),
        Page("Task history", "django_celery_results.view_taskresult", "history", "What workers have run"),
        Page(
            "Alerts", "monitoring.view_alert", "notification_important", "What was not well, and what to do"
        ),
        Page(
            "Schedule",
            "django_celery_beat.view_periodictask",
            "schedule",
            "Beat's entries, and how each ended",
        ),
    ],
    "People": [
        Page("Users", "auth.view_user", "person", "Who may log in"),
        Page("Groups", "auth.view_group", "group", "What they may do"),
        Page("Personal data", "shop.view_datarequest", "shield_person", "Hand out and erase what is held"),
    ],
}


def navigation(request: HttpRequest) -> list[Item]:
    """The groups of the sidebar and of the start page, with the entries that this person may open."""
    groups: list[Item] = []
    for title, pages in _GROUPS.items():
        items = [item for page in pages if (item := _item(request, page))]
        if title == "Operations" and request.user.is_staff:  # who may look there, whatever else they may
            items.append(_flower(request))
        if items:
            groups.append({"title": title, "items": items})
    _light_up(request.path, [item for group in groups for item in group["items"]])
    return groups


def _light_up(path: str, items: list[Item]) -> None:
    """Mark the one entry that the page belongs to: of those it lies below, the one with the longest address.

    Unfold marks them all, also “Imports” on the page of “Import a file”.
    """
    here = max((item["link"] for item in items if path.startswith(item["link"])), key=len, default=None)
    for item in items:
        item["active"] = item["link"] == here


def _item(request: HttpRequest, page: Page) -> Item | None:
    if not request.user.has_perm(page.permission):
        return None
    link = reverse(f"admin:{page.model}_{page.view}")
    return {"title": page.title, "icon": page.icon, "description": page.description, "link": link}


def _flower(request: HttpRequest) -> Item:
    return {
        "title": "Flower",
        "icon": "local_florist",
        "description": "The workers, live",
        "link": to_flower(request),
        "link_attrs": {"target": "_blank", "rel": "noopener"},
    }


def _scale(name: str) -> dict[str, str]:
    shades = (50, 100, 200, 300, 400, 500, 600, 700, 800, 900, 950)
    return {str(shade): f"var(--tally-{name}-{shade})" for shade in shades}


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Tallyman",
    "SITE_HEADER": "Tallyman",
    "SITE_ICON": lambda request: static("tallyman/logo.svg"),
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("tallyman/logo.svg")}
    ],
    "SITE_URL": "/",
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [
        lambda request: static("tallyman/tokens.css"),
        lambda request: static("tallyman/admin.css"),
    ],
    "COLORS": {"base": _scale("base"), "primary": _scale("accent")},
    "BORDER_RADIUS": "var(--tally-radius)",
    "DASHBOARD_CALLBACK": "config.dashboard.show",
    "ACCOUNT": {"navigation": [{"title": "Second factor", "link": reverse_lazy("mfa_index")}]},
    "SIDEBAR": {"show_search": False, "navigation": navigation},
}
