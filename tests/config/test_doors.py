"""Who gets through which door of the admin: every address, by role, to look (GET) and to act (POST).

Addresses are those that there are, so a new one is missing in the tables below until somebody says who may.
Nobody without a group, customers and strangers: test_roles.py. Flower: test_flower.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model
from django.http import Http404
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from django.utils import timezone
from django_htmx.middleware import HtmxDetails

from config.roles import ROLES
from notifications.models import Message
from reports.models import ReportSchedule
from tasks.models import Job
from tests.config.test_lists import MAKERS

pytestmark = pytest.mark.django_db

EVERYBODY = "catalogue import undo orders refunds reports operators personal"
# Who sees the list, the page and the history of a model; who changes, adds and deletes. A superuser may all
# that somebody may; - is not even he: no such button, for nobody. + is he alone.
MODELS = {
    "auth_user": ("+", "+", "+", "+"),
    "auth_group": ("+", "+", "+", "+"),
    "tasks_job": ("operators", "-", "-", "-"),
    "tasks_queue": ("operators", "-", "-", "-"),
    "django_celery_beat_periodictask": ("operators", "-", "-", "-"),
    "django_celery_results_taskresult": ("operators", "-", "-", "-"),
    "monitoring_alert": ("operators", "-", "-", "-"),
    "shop_category": ("catalogue import reports", "catalogue", "catalogue", "catalogue"),
    "shop_product": ("catalogue import reports", "catalogue", "catalogue", "catalogue"),
    "shop_order": ("orders refunds", "orders refunds", "-", "-"),
    "shop_datarequest": ("personal", "-", "-", "-"),
    "shop_deliverymethod": ("orders refunds", "orders", "orders", "orders"),
    "shop_taxrate": ("orders refunds", "orders", "orders", "orders"),
    "shop_discountcode": ("orders refunds", "orders", "orders", "orders"),
    "shop_subscription": ("orders", "-", "-", "-"),
    "imports_savedmapping": ("import", "-", "-", "import"),
    "imports_exportrun": ("catalogue import operators", "catalogue import operators", "catalogue", "-"),
    "imports_importrun": ("import undo operators", "import undo operators", "import", "-"),
    "notifications_kindswitch": ("orders operators", "-", "-", "-"),
    "notifications_suppression": ("orders operators", "-", "orders operators", "-"),
    "notifications_message": ("orders operators", "-", "-", "-"),
    "invoices_document": ("orders refunds", "-", "-", "-"),
    "reports_reportrun": ("reports", "-", "-", "-"),
    "reports_reportschedule": ("reports", "reports", "reports", "reports"),
}
# All other addresses: who may look, and who may act where that differs.
PAGES = {
    "search": (EVERYBODY,),
    "index": (EVERYBODY,),
    "login": (EVERYBODY,),
    "password_change": (EVERYBODY,),
    "password_change_done": (EVERYBODY,),
    "jsi18n": (EVERYBODY,),
    "autocomplete": ("-", EVERYBODY),  # 403 unless asked for a field of a form; POST: 405
    "view_on_site": (EVERYBODY,),
    "auth_user_password_change": ("+",),
    "tasks_job_flower": (EVERYBODY,),
    "tasks_job_retry_this": ("operators",),
    "tasks_job_retry_all_like_this": ("operators",),
    "tasks_job_put_this_first": ("operators",),
    "tasks_job_discard_this": ("operators",),
    "monitoring_handbook": ("operators",),
    "shop_order_fulfil": ("orders",),
    "shop_order_tracking": ("orders",),
    "shop_order_deliver": ("orders",),
    "shop_order_cancel": ("orders",),
    "shop_order_received": ("refunds",),
    "shop_order_refund": ("refunds",),
    "shop_order_number": ("orders refunds",),
    "shop_datarequest_person": ("personal",),
    "imports_exportrun_progress": ("catalogue import operators",),
    "imports_exportrun_cancel": ("catalogue",),
    "imports_exportrun_download": ("catalogue import operators",),
    "imports_importrun_template": ("import undo operators",),
    "imports_importrun_progress": ("import undo operators",),
    "imports_importrun_cancel": ("import",),
    "imports_importrun_pause": ("import",),
    "imports_importrun_resume": ("import",),
    "imports_importrun_undo": ("undo",),
    "imports_importrun_file": ("import undo operators",),
    "imports_importrun_rejected": ("import undo operators",),
    "imports_importrun_preview_csv": ("import undo operators",),
    "imports_importrun_repaired": ("import undo operators",),
    "imports_importrun_retry": ("import",),
    "imports_importrun_set_aside": ("import undo operators",),
    "notifications_kind": ("orders operators", "operators"),
    "notifications_suppression_lift": ("orders operators",),
    "notifications_message_send_this_again": ("orders operators",),
    "notifications_message_send_elsewhere": ("orders operators",),
    "invoices_document_pdf": ("orders refunds",),
    "reports_reportrun_ask": ("reports",),
    "reports_reportrun_ask_make": ("reports",),
    "reports_reportrun_ask_file": ("reports",),
    "reports_reportrun_progress": ("reports",),
    "reports_reportrun_file": ("reports",),
    "reports_reportschedule_next": ("reports",),
    "reports_reportschedule_preview": ("reports",),
    "reports_reportschedule_run_this_now": ("reports",),
    "reports_reportschedule_pause_this": ("reports",),
    "reports_reportschedule_resume_this": ("reports",),
}
# Actions on chosen rows of a list, by who is offered them; others are offered none.
ACTIONS = {
    "auth_user": {"+": ["delete_selected", "take_factors_away"]},
    "auth_group": {"+": ["delete_selected"]},
    "tasks_job": {"operators": ["retry", "retry_alike", "put_first", "put_back_in_line", "discard"]},
    "tasks_queue": {"operators": ["pause", "resume"]},
    "shop_category": {"catalogue": ["delete_selected"]},
    "shop_product": {
        "catalogue": ["delete_selected", "publish", "unpublish", "feature", "unfeature", "export"]
    },
    "shop_order": {"orders": ["send_rest", "mark_delivered"]},
    "shop_deliverymethod": {"orders": ["delete_selected"]},
    "shop_taxrate": {"orders": ["delete_selected"]},
    "shop_discountcode": {"orders": ["switch_off"]},
    "shop_subscription": {"orders": ["take_back"]},
    "imports_savedmapping": {"import": ["delete_selected"]},
    "notifications_message": {"orders operators": ["send_again"]},
    "reports_reportschedule": {"reports": ["delete_selected", "run_now", "pause", "resume"]},
}

LOGIN = "/admin/login/?"

type Keys = dict[str, dict[str, Any]]


class _Undone(Exception):  # noqa: N818 - it ends a transaction
    pass


@pytest.fixture
def keys() -> Keys:
    """What addresses have in place of their variables, by model, or by the name of the address."""
    made = {}
    for number, (model, make) in enumerate(MAKERS.items()):
        make(number)
        made[name_of(model)] = key_of(model.objects.latest("pk"))
    made["reports_reportschedule_resume_this"] = key_of(ReportSchedule.objects.latest("pk"))
    ReportSchedule.objects.filter(pk=made["reports_reportschedule_resume_this"]["pk"]).update(enabled=False)
    made["reports_reportschedule"] = key_of(ReportSchedule.objects.filter(enabled=True).latest("pk"))
    dead = Job.objects.latest("pk")
    Job.objects.filter(pk=dead.pk).update(state=Job.State.DEAD, finished_at=timezone.now())
    made["tasks_job_retry_all_like_this"] = key_of(dead)
    made["tasks_job"] = key_of(Job.objects.filter(state=Job.State.QUEUED).latest("pk"))
    made["notifications_message"] = key_of(Message.objects.filter(about__startswith="order/").latest("pk"))
    made["reports_reportrun_ask_file"] = {"format": "csv"}
    made["notifications_kind"] = {"name": "alert"}
    return made


def name_of(model: type[Model]) -> str:
    return model._meta.label_lower.replace(".", "_")


def key_of(row: Model) -> dict[str, Any]:
    return {"pk": row.pk, "object_id": row.pk, "id": row.pk}


def doors(keys: Keys) -> Iterator[tuple[str, str]]:
    """Name and address of each page of the admin. Django's old …/1/ lead to …/1/change/, which asks."""
    for resolver in get_resolver().url_patterns:
        if isinstance(resolver, URLResolver) and resolver.namespace == "admin":
            for pattern in resolver.url_patterns:
                yield from _doors(pattern, "/admin/", keys)


def _doors(pattern: URLPattern | URLResolver, before: str, keys: Keys) -> Iterator[tuple[str, str]]:
    route = before + str(pattern.pattern)
    if isinstance(pattern, URLResolver):
        for inner in pattern.url_patterns:
            yield from _doors(inner, route, keys)
    elif pattern.name and pattern.name not in ("logout", "app_list"):
        known = keys.get(pattern.name) or keys.get("_".join(route.split("/")[2:4]), {})
        yield pattern.name, re.sub(r"<(?:\w+:)?(\w+)>", lambda name: str(known.get(name[1], 1)), route)


def who_may(name: str, method: str) -> set[str]:
    """Those whom the tables let in, or of them + and -; KeyError for an address that is in none."""
    if name in PAGES:
        look, *act = PAGES[name]
        return set((act[0] if act and method == "post" else look).split())
    model, _, page = name.rpartition("_")
    look, change, add, delete = MODELS[model]
    found = {"add": add, "delete": delete, "change": change if method == "post" else look}.get(page, look)
    return set(found.split())


def a_member(role: str) -> User:
    user = User.objects.create_user(f"of-{role}", is_staff=True, is_superuser=role == "+")
    user.groups.set(Group.objects.filter(name=role))
    return user


def test_each_role_gets_through_its_doors_and_no_others(keys: Keys) -> None:
    wrong = []
    for role in [*ROLES, "+"]:
        user = a_member(role)
        for name, address in doors(keys):
            for method in ("get", "post"):
                may = who_may(name, method)
                expected = role.split()[0] in may if role != "+" else may != {"-"}
                if is_let_in(user, method, address) != expected:
                    wrong.append((role, method, name, expected))

    assert wrong == []


def is_let_in(user: User, method: str, address: str) -> bool:
    """Whether the view answers this person; whatever that did is taken back.

    Without middleware and without writing the page: who may is asked before, and these are thousands.
    """
    request: Any = getattr(RequestFactory(), method)(address)
    request.user, request.session = user, SessionStore()
    request._messages, request.htmx = FallbackStorage(request), HtmxDetails(request)
    request._dont_enforce_csrf_checks = True
    view, args, kwargs = resolve(address)
    with suppress(_Undone, Http404), transaction.atomic():
        try:
            answer = view(request, *args, **kwargs)
        except PermissionDenied:
            return False
        if answer.status_code == 403 or answer.headers.get("Location", "").startswith(LOGIN):
            return False
        raise _Undone
    return True


def test_tables_name_no_address_that_is_gone(keys: Keys) -> None:
    names = {name for name, _ in doors(keys)}

    assert PAGES.keys() - names == set()
    assert MODELS.keys() == {name_of(model) for model in admin.site._registry}


def test_each_role_is_offered_its_actions_and_no_others() -> None:
    offered: dict[str, dict[str, list[str]]] = {}
    for role in [*ROLES, "+"]:
        request = RequestFactory().get("/")
        request.user = a_member(role)
        for model, model_admin in admin.site._registry.items():
            if actions := list(model_admin.get_actions(request)):
                offered.setdefault(name_of(model), {})[role] = actions

    assert offered == {
        model: {role: actions for roles, actions in by.items() for role in [*_each(roles), "+"]}
        for model, by in ACTIONS.items()
    }


def _each(roles: str) -> list[str]:
    return [role for role in ROLES if role.split()[0] in roles.split()]


def test_nothing_is_posted_to_the_admin_without_its_token(keys: Keys) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(a_member("+"), settings.AUTHENTICATION_BACKENDS[0])

    told = {name: client.post(address).status_code for name, address in doors(keys)}

    assert {name: status for name, status in told.items() if status != 403} == {}


def test_only_webhooks_and_nothing_else_take_posts_without_a_token() -> None:
    """Their senders sign what they post, and links out of mails have a token of their own. The page of
    uploads looks for its token by itself, before it takes the file, as the test before this one says."""

    def exempt(patterns: list[Any]) -> Iterator[str]:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                yield from exempt(pattern.url_patterns)
            elif getattr(pattern.callback, "csrf_exempt", False):
                yield pattern.name or str(pattern.pattern)

    assert sorted(exempt(get_resolver().url_patterns)) == [
        "imports_importrun_add", "mail_end", "mail_webhook", "webhook",
    ]  # fmt: skip


# Whom health and figures answer. Nothing that says more than what is well is told to strangers.
OPEN = {
    "/healthz": {"anonymous": 200, "customer": 200, "clerk": 200, **dict.fromkeys(ROLES, 200)},
    "/metrics": {
        "anonymous": 403,
        "customer": 403,
        "clerk": 403,
        **dict.fromkeys(ROLES, 403),
        "operators": 200,
    },
}


@pytest.mark.parametrize("path", OPEN)
def test_probes_answer_all_and_figures_operators_alone(path: str) -> None:
    told = {}
    for who in OPEN[path]:
        client = Client()
        if who != "anonymous":
            user = a_member(who)
            User.objects.filter(pk=user.pk).update(is_staff=who != "customer")
            client.force_login(user, settings.AUTHENTICATION_BACKENDS[0])
        told[who] = client.get(path).status_code
        assert client.post(path).status_code in (200, 403, 405)

    assert told == OPEN[path]
