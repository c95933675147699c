"""Words of reports: what rows are grouped by, and how an answer's own words become text of a language.

They are lazy translations in the context `report`, where columns are short.
"""

from __future__ import annotations

from dataclasses import replace

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from reports.questions import Grouping
from reports.results import Answer, Chart, Table, Text

TOTAL = pgettext_lazy("report", "Total")
GROSS = pgettext_lazy("report", "Gross")
BEFORE = pgettext_lazy("report", "Before")
OTHERS = pgettext_lazy("report", "Others")
NO_CATEGORY = _("No category")

# The head of the column that rows are grouped by.
TITLES = {
    Grouping.HOUR: pgettext_lazy("report", "Hour"),
    Grouping.DAY: pgettext_lazy("report", "Day"),
    Grouping.WEEK: pgettext_lazy("report", "Week"),
    Grouping.MONTH: pgettext_lazy("report", "Month"),
    Grouping.PRODUCT: _("Product"),
    Grouping.VARIANT: _("Variant"),
    Grouping.CATEGORY: pgettext_lazy("report", "Category"),
    Grouping.CUSTOMER: pgettext_lazy("report", "Customer"),
    Grouping.COUNTRY: _("Country"),
    Grouping.TAX_RATE: pgettext_lazy("report", "Tax rate"),
    Grouping.PAYMENT: pgettext_lazy("report", "Payment method"),
    Grouping.DISCOUNT: _("Discount code"),
}
# The title of their table.
BY = {
    Grouping.HOUR: _("By hour"),
    Grouping.DAY: _("By day"),
    Grouping.WEEK: _("By week"),
    Grouping.MONTH: _("By month"),
    Grouping.PRODUCT: _("By product"),
    Grouping.VARIANT: _("By variant"),
    Grouping.CATEGORY: _("By category"),
    Grouping.CUSTOMER: _("By customer"),
    Grouping.COUNTRY: _("By country"),
    Grouping.TAX_RATE: _("By tax rate"),
    Grouping.PAYMENT: _("By payment method"),
    Grouping.DISCOUNT: _("By discount code"),
}
_WHAT_BY = {
    Grouping.HOUR: _("%(what)s by hour"),
    Grouping.DAY: _("%(what)s by day"),
    Grouping.WEEK: _("%(what)s by week"),
    Grouping.MONTH: _("%(what)s by month"),
    Grouping.PRODUCT: _("%(what)s by product"),
    Grouping.VARIANT: _("%(what)s by variant"),
    Grouping.CATEGORY: _("%(what)s by category"),
    Grouping.CUSTOMER: _("%(what)s by customer"),
    Grouping.COUNTRY: _("%(what)s by country"),
    Grouping.TAX_RATE: _("%(what)s by tax rate"),
    Grouping.PAYMENT: _("%(what)s by payment method"),
    Grouping.DISCOUNT: _("%(what)s by discount code"),
}


def what_by(what: Text, grouping: Grouping) -> str:
    """The title of a chart, `Gross by day`, in the language that is active."""
    return str(_WHAT_BY[grouping]) % {"what": what}


def said(answer: Answer) -> Answer:
    """The same, its own words as plain text in the language that is active. Rows are left as they are, for
    they may be millions: whoever writes a cell makes text of it."""
    return replace(
        answer,
        title=str(answer.title),
        figures=[replace(one, label=str(one.label)) for one in answer.figures],
        charts=[_chart(chart) for chart in answer.charts],
        tables=[_table(table) for table in answer.tables],
        notes=[str(note) for note in answer.notes],
    )


def _chart(chart: Chart) -> Chart:
    return replace(
        chart,
        title=str(chart.title),
        labels=[str(label) for label in chart.labels],
        series=[replace(one, name=str(one.name)) for one in chart.series],
    )


def _table(table: Table) -> Table:
    columns = [replace(column, title=str(column.title)) for column in table.columns]
    return replace(table, title=str(table.title), columns=columns, note=str(table.note))
