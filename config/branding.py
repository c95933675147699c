"""How the admin looks and what its sidebar offers. Colours stay in static/tallyman/tokens.css."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse

type Item = dict[str, Any]

_SHADES = (50, 100, 200, 300, 400, 500, 600, 700, 800, 900, 950)


def _scale(name: str) -> dict[str, str]:
    return {str(shade): f"var(--tally-{name}-{shade})" for shade in _SHADES}


def navigation(request: HttpRequest) -> list[Item]:
    """The sidebar's groups with the entries that this person may open."""
    return [
        _group(
            "Catalogue",
            _page(request, "Products", "inventory_2", "shop.view_product"),
            _page(request, "Categories", "account_tree", "shop.view_category"),
            _page(request, "Imports", "checklist", "imports.view_importrun"),
            _page(request, "Import a file", "upload_file", "imports.add_importrun", view="add"),
        ),
        _group("Messages", _page(request, "Outbox", "outgoing_mail", "notifications.view_message")),
        _group(
            "Operations",
            _page(request, "Jobs", "conveyor_belt", "tasks.view_job"),
            _page(request, "Task history", "history", "django_celery_results.view_taskresult"),
            _page(request, "Schedule", "schedule", "django_celery_beat.view_periodictask"),
            _flower(request),
        ),
        _group(
            "People",
            _page(request, "Users", "person", "auth.view_user"),
            _page(request, "Groups", "group", "auth.view_group"),
        ),
    ]


def _group(title: str, *items: Item | None) -> Item:
    return {"title": title, "items": [item for item in items if item]}


def _page(
    request: HttpRequest, title: str, icon: str, permission: str, *, view: str = "changelist"
) -> Item | None:
    """An admin page, or None without the permission; its model is the one that the permission names."""
    if not request.user.has_perm(permission):
        return None
    app, _, action_and_model = permission.partition(".")
    model = action_and_model.partition("_")[2]
    try:
        link = reverse(f"admin:{app}_{model}_{view}")
    except NoReverseMatch:
        return None  # its app has no pages
    # Unfold would also light up “Imports” on the page of “Import a file”, whose address begins alike.
    adding = reverse(f"admin:{app}_{model}_add")
    active = request.path == link or (
        view == "changelist" and request.path.startswith(link) and request.path != adding
    )
    return {"title": title, "icon": icon, "link": link, "active": active}


def _flower(request: HttpRequest) -> Item | None:
    if not request.user.has_perm("tasks.view_job"):
        return None
    link_attrs = {"target": "_blank", "rel": "noopener"}
    return {
        "title": "Flower",
        "icon": "local_florist",
        "link": settings.FLOWER_URL,
        "active": False,
        "link_attrs": link_attrs,
    }


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Tallyman",
    "SITE_HEADER": "Tallyman",
    "SITE_ICON": lambda request: static("tallyman/logo.svg"),
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("tallyman/logo.svg")}
    ],
    # There is no shop front yet: the home page is the admin itself.
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [
        lambda request: static("tallyman/tokens.css"),
        lambda request: static("tallyman/admin.css"),
    ],
    "COLORS": {"base": _scale("base"), "primary": _scale("accent")},
    "BORDER_RADIUS": "var(--tally-radius)",
    "SIDEBAR": {"show_search": False, "navigation": navigation},
}
