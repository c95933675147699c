"""Groups of staff and what they may do (docs/roles.md). Made and completed by every `migrate`.

What somebody adds to a group by hand stays; what is missing of the below comes back. Whoever should have less
gets a group of its own. Users, groups and the log of the admin belong to superusers: who may change users
could make himself one.
"""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission

_SEE_CATALOGUE = ["shop.view_product", "shop.view_productimage", "shop.view_category"]
_SEE_ORDERS = [
    "shop.view_order", "shop.view_orderline", "shop.view_orderevent", "shop.view_payment", "shop.view_refund",
    "shop.view_shipment", "shop.view_shipmentline", "shop.view_discountuse", "shop.view_deliverymethod",
    "shop.view_taxrate", "shop.view_discountcode", "invoices.view_document",
]  # fmt: skip


def _all(*models: str) -> list[str]:
    """Add, change and delete of each."""
    return [
        f"{app}.{verb}_{name}"
        for app, name in (model.split(".") for model in models)
        for verb in ("add", "change", "delete")
    ]


# An app's name with an asterisk is all of that app.
ROLES: dict[str, list[str]] = {
    "catalogue": [
        *_SEE_CATALOGUE,
        *_all("shop.product", "shop.productimage", "shop.category"),
        "shop.view_stockmovement", "imports.add_exportrun", "imports.view_exportrun",
    ],
    "import": [
        *_SEE_CATALOGUE,
        "imports.add_importrun", "imports.view_importrun", "imports.view_savedmapping",
        "imports.delete_savedmapping", "imports.view_exportrun",
    ],
    "undo": ["imports.view_importrun", "imports.undo_import", "imports.approve_risky_import"],
    "orders": [
        *_SEE_ORDERS,
        "shop.change_order", "shop.fulfil_order", "shop.cancel_order",
        *_all("shop.deliverymethod", "shop.discountcode", "shop.taxrate"),
        "notifications.view_message", "notifications.add_message", "notifications.view_kindswitch",
        "notifications.view_suppression", "notifications.add_suppression", "notifications.change_suppression",
        "shop.view_subscription", "shop.change_subscription",
    ],
    "refunds": [*_SEE_ORDERS, "shop.refund_order", "shop.change_payment"],
    "reports": [*_SEE_CATALOGUE, "reports.*"],
    "operators": [
        "tasks.view_job", "tasks.change_job", "tasks.operate_workers",
        "tasks.view_queue", "tasks.change_queue", "monitoring.view_alert",
        "django_celery_results.view_taskresult", "django_celery_beat.view_periodictask",
        "notifications.view_message", "notifications.add_message",
        "notifications.view_kindswitch", "notifications.add_kindswitch", "notifications.view_suppression",
        "notifications.add_suppression", "notifications.change_suppression",
        "imports.view_importrun", "imports.view_exportrun",
    ],
    "personal data": ["shop.view_datarequest", "shop.export_personal_data", "shop.erase_personal_data"],
}  # fmt: skip


def complete(*, app_config: AppConfig, **_: Any) -> None:
    """After an app was migrated and its permissions made: give them to the groups that should have them."""
    app = app_config.label
    if not any(name.startswith(f"{app}.") for wanted in ROLES.values() for name in wanted):
        return
    of_app = Permission.objects.filter(content_type__app_label=app).order_by("pk")
    made = {f"{app}.{codename}": pk for pk, codename in of_app.values_list("pk", "codename")}
    Group.objects.bulk_create([Group(name=role) for role in ROLES], ignore_conflicts=True)
    groups = dict(Group.objects.filter(name__in=ROLES).values_list("name", "pk"))
    given = Group.permissions.through
    given.objects.bulk_create(
        [
            given(group_id=groups[role], permission_id=pk)
            for role, wanted in ROLES.items()
            for name, pk in made.items()
            if name in wanted or f"{app}.*" in wanted
        ],
        ignore_conflicts=True,
    )
