"""What the admin's lists share: pages of huge tables, and times as people say them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.core.paginator import Paginator
from django.db import connection
from django.db.models import QuerySet
from django.utils import formats, timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString

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


def _estimated_rows(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_ESTIMATE, [connection.ops.quote_name(table)])
        row = cursor.fetchone()
    return int(row[0] or 0)


def spoken(at: datetime | None) -> SafeString | str:
    """`at` as `3 minutes ago`, or its date when it is more than a week away; the exact time on hover.

    >>> spoken(None)
    '–'
    """
    if at is None:
        return "–"
    local = timezone.localtime(at)
    near = abs(timezone.now() - at) < timedelta(days=7)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(),
        formats.date_format(local, "DATETIME_FORMAT"),
        naturaltime(at) if near else formats.date_format(local, "DATE_FORMAT"),
    )
