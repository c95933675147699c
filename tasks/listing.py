"""What the admin's lists share: pages of huge tables, cells of two lines, and times as people say them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin import ShowFacets
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.core.paginator import Paginator
from django.db import connection
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import formats, timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

_ESTIMATE = "SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(%s)"


class EstimatingPaginator(Paginator):
    """Pages of a list: counted when it is filtered or small, estimated from the statistics when it is all of
    a big table, where counting each row would cost more than the page itself.
    """

    template_name = "admin/pagination_estimated.html"
    estimate_from = 50_000
    is_estimate = False

    @cached_property
    def count(self) -> int:
        """How many rows the list has; sets `is_estimate`."""
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment] # what the admin's lists hand over
        if not rows.query.where:
            estimate = _estimated_rows(rows.model._meta.db_table)
            if estimate >= self.estimate_from:
                self.is_estimate = True
                return estimate
        return rows.count()


class BigList(ChangeList):
    """A list of a page; its rows are in `result_list`."""

    def get_results(self, request: HttpRequest) -> None:
        """Know that a list without search and filters is the full one, so that nothing offers to show all."""
        super().get_results(request)
        if not (self.query or self.has_active_filters):
            self.full_result_count = self.result_count


class BigListAdmin(ModelAdmin):
    """Lists that may have millions of rows: one page costs the same in all of them."""

    paginator = EstimatingPaginator
    show_full_result_count = False
    list_filter_submit = True
    list_per_page = 50
    show_facets = ShowFacets.NEVER  # counts beside each filter would read the whole table, once for each

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BigList


class ReadOnlyAdmin(BigListAdmin):
    """Rows that only the machinery writes: nobody adds, changes or deletes them here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def _estimated_rows(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_ESTIMATE, [connection.ops.quote_name(table)])
        row = cursor.fetchone()
    return int(row[0] or 0)


def stacked(first: object, second: object) -> SafeString:
    """A cell of two lines, the second one softer; only the first when there is no second."""
    if not second:
        return format_html("{}", first)
    return format_html('{}<div class="tally-soft tally-small">{}</div>', first, second)


def spoken(at: datetime | None) -> SafeString | str:
    """`at` as `3 minutes ago`, or its date when it is more than a day away; the exact time on hover.

    >>> spoken(None)
    '–'
    """
    if at is None:
        return "–"
    local = timezone.localtime(at)
    near = abs(timezone.now() - at) < timedelta(days=1)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(),
        formats.date_format(local, "DATETIME_FORMAT"),
        naturaltime(at) if near else formats.date_format(local, "DATE_FORMAT"),
    )


def log(text: str | None) -> SafeString | str:
    """A traceback or the like, in lines as they were, in a box that scrolls."""
    return format_html('<div class="tally-log">{}</div>', text) if text else "–"
