"""Who may do what: every page and action of the admin asks for a permission, and the groups have theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver

from config import branding
from config.roles import ROLES
from tests.imports.running import import_rows, row

pytestmark = pytest.mark.django_db
# Pages that every member of staff may see: they show nothing but what their permissions let them.
FREE = {
    "index", "login", "logout", "password_change", "password_change_done", "jsi18n", "search", "autocomplete",
    "view_on_site", "tasks_job_flower",
}  # fmt: skip


def a_clerk(client: Client, *roles: str) -> User:
    """A member of staff who is in these groups, logged in."""
    user = User.objects.create_user(f"clerk-{len(roles)}", is_staff=True)
    user.groups.set(Group.objects.filter(name__in=roles))
    client.force_login(user, settings.AUTHENTICATION_BACKENDS[0])
    return user


def admin_paths() -> Iterator[tuple[str, str]]:
    """Name and path of each page of the admin, with some value for what the path asks for."""
    for resolver in get_resolver().url_patterns:
        if isinstance(resolver, URLResolver) and resolver.namespace == "admin":
            for pattern in resolver.url_patterns:
                yield from _paths(pattern, "/admin/")


def _paths(pattern: URLPattern | URLResolver, before: str) -> Iterator[tuple[str, str]]:
    route = str(pattern.pattern).replace("<uuid:pk>", str(UUID(int=1)))
    path = before + re.sub(r"<(?:(\w+):)?\w+>", "1", route).replace("^", "").replace("$", "")
    if isinstance(pattern, URLResolver):
        for inner in pattern.url_patterns:
            yield from _paths(inner, path)
    else:
        yield pattern.name or "", path


def test_staff_without_a_group_get_no_page_and_change_nothing(client: Client) -> None:
    a_clerk(client)
    pages = [(name, path) for name, path in admin_paths() if name not in FREE and "(?P" not in path]
    assert len(pages) > 60

    wrong = []
    for method in ("get", "post"):
        for _, path in pages:
            answer = getattr(client, method)(path)
            if not _is_refused(answer, path):
                wrong.append((method, path, answer.status_code))

    assert wrong == []


@pytest.mark.parametrize("who", ["anonymous", "customer"])
def test_strangers_see_no_page_of_the_admin_but_its_login(client: Client, who: str) -> None:
    if who == "customer":
        client.force_login(User.objects.create_user("kim"), settings.AUTHENTICATION_BACKENDS[0])
    pages = [path for name, path in admin_paths() if name not in ("login", "logout") and "(?P" not in path]
    told = {(method, path): getattr(client, method)(path) for path in pages for method in ("get", "post")}

    assert len(pages) > 60
    assert [page for page, answer in told.items() if not _leads_to_login(answer, who)] == []


def _leads_to_login(answer: Any, who: str) -> bool:
    """Some pages tell a customer, who is logged in already, that this account may not."""
    to, _, _ = answer.headers.get("Location", "").partition("?")
    return to == "/admin/login/" or (who == "customer" and answer.status_code == 403)


def _is_refused(answer: Any, path: str) -> bool:
    """Django leads from old addresses (…/1/) to …/1/change/, which asks, and from the history of what is not
    there to the start page."""
    away = f"{path}change/" if re.fullmatch(r"/admin/\w+/\w+/1/", path) else "/admin/"
    return answer.status_code == 403 or answer.headers.get("Location") == away


def test_staff_without_a_group_are_offered_no_action(client: Client) -> None:
    request = RequestFactory().get("/")
    request.user = a_clerk(client)

    offered = {
        str(model._meta): list(model_admin.get_actions(request))
        for model, model_admin in admin.site._registry.items()
    }

    assert {model: actions for model, actions in offered.items() if actions} == {}


def test_every_action_of_ours_names_its_permission() -> None:
    kinds = ("actions", "actions_list", "actions_detail", "actions_row", "actions_submit_line")
    open_ones = [
        f"{model._meta}: {name}"
        for model, model_admin in admin.site._registry.items()
        for kind in kinds
        for name in getattr(model_admin, kind, None) or ()
        if isinstance(name, str) and name != "delete_selected"
        if not getattr(getattr(model_admin, name), "allowed_permissions", None)
    ]

    assert open_ones == []


def test_start_page_offers_flower_alone_to_staff_without_a_group(client: Client) -> None:
    request: Any = RequestFactory().get("/")
    request.user = a_clerk(client)

    assert [item["title"] for group in branding.navigation(request) for item in group["items"]] == ["Flower"]
    assert "Ask whoever manages the users to put you into a group." in client.get("/admin/").text


@pytest.mark.parametrize(
    ("role", "pages"),
    [
        ("catalogue", ["Products", "Categories", "Exports", "Flower"]),
        (
            "import",
            ["Products", "Categories", "Imports", "Import a file", "Saved mappings", "Exports", "Flower"],
        ),
        ("undo", ["Imports", "Flower"]),
        (
            "operators",
            [
                "Imports",
                "Exports",
                "Outbox",
                "Kinds of mail",
                "Held back",
                "Jobs",
                "Queues",
                "Task history",
                "Alerts",
                "Schedule",
                "Flower",
            ],
        ),
        ("reports", ["Products", "Categories", "Reports", "Scheduled reports", "Reports made", "Flower"]),
        ("personal data", ["Flower", "Personal data"]),
    ],
)
def test_members_see_the_pages_of_their_group(client: Client, role: str, pages: list[str]) -> None:
    request: Any = RequestFactory().get("/")
    request.user = a_clerk(client, role)

    items = [item for group in branding.navigation(request) for item in group["items"]]

    assert [item["title"] for item in items] == pages
    links = [item["link"] for item in items if item["title"] != "Flower"]
    assert {link: client.get(link).status_code for link in links} == dict.fromkeys(links, 200)


def test_importing_is_not_undoing(client: Client) -> None:
    run = import_rows([row("A")])
    page, undo = f"/admin/imports/importrun/{run.pk}/change/", f"/admin/imports/importrun/{run.pk}/undo/"

    a_clerk(client, "import")
    assert ("Undo this import" in client.get(page).text, client.post(undo).status_code) == (False, 403)
    a_clerk(client, "import", "undo")
    assert ("Undo this import" in client.get(page).text, client.post(undo).status_code) == (True, 302)


def test_cancelling_with_undo_takes_the_permission_to_undo(client: Client) -> None:
    run = import_rows([row("A")])
    a_clerk(client, "import")

    answer = client.post(f"/admin/imports/importrun/{run.pk}/cancel/", {"landed": "undo"})

    assert answer.status_code == 403


def test_groups_have_the_permissions_that_are_written_down() -> None:
    made = {
        f"{permission.content_type.app_label}.{permission.codename}"
        for permission in Permission.objects.select_related("content_type")
    }
    missing = {name for wanted in ROLES.values() for name in wanted if not name.endswith("*")} - made
    given = {
        group.name: {f"{one.content_type.app_label}.{one.codename}" for one in group.permissions.all()}
        for group in Group.objects.prefetch_related("permissions__content_type")
    }

    assert missing == set()
    assert given == {
        role: {one for one in made if one in wanted or f"{one.partition('.')[0]}.*" in wanted}
        for role, wanted in ROLES.items()
    }


def test_migrating_again_doubles_nothing_and_brings_back_what_is_missing() -> None:
    group = Group.objects.get(name="import")
    extra = Permission.objects.get(codename="view_user")
    group.permissions.set([extra])

    for _ in range(2):
        call_command("migrate", verbosity=0)

    assert group.permissions.count() == len(ROLES["import"]) + 1
    assert Group.objects.count() == len(ROLES)


def test_no_group_may_make_itself_mightier() -> None:
    mighty = {
        "auth.add_user",
        "auth.change_user",
        "auth.change_group",
        "auth.add_group",
        "auth.add_permission",
    }

    assert {role: mighty & set(wanted) for role, wanted in ROLES.items() if mighty & set(wanted)} == {}


def test_document_has_every_group() -> None:
    text = (settings.BASE_DIR / "docs" / "roles.md").read_text()

    assert [role for role in ROLES if f"| {role} |" not in text] == []
