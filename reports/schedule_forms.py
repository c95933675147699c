"""What staff type about a schedule, with messages in their words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.core.validators import validate_email
from django.urls import reverse_lazy
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from reports.cadence import CadenceError, cron_of, in_words, parse, row_of, zone_of
from reports.catalogue import REPORTS
from reports.models import ReportSchedule
from reports.rendering import Format

FILTERS = {
    "country": "A code, such as DE.",
    "category": "Its path, such as Home > Kitchen, with all below it.",
    "sku": "Of a product or a variant.",
    "payment": "Way to pay, such as stripe or invoice.",
    "discount": "A discount code.",
}
_FORMATS = {
    Format.XLSX: "Excel workbook",
    Format.PDF: "PDF",
    Format.CSV: "CSV",
    Format.JSON: "JSON",
    Format.HTML: "Web page",
}
# The next due times, asked for anew whenever somebody has changed one of the two fields.
_LIVE = {
    "hx-get": reverse_lazy("admin:reports_reportschedule_next"),
    "hx-include": "#id_when, #id_zone",
    "hx-target": "#next-runs",
    "hx-trigger": "change, input changed delay:400ms",
}


class ScheduleForm(forms.ModelForm):
    """A schedule: when it is due is typed in words or as cron, addresses and filters as text."""

    report = forms.ChoiceField(
        widget=UnfoldAdminSelectWidget, choices=lambda: [(one.key, one.name) for one in REPORTS.values()]
    )
    when = forms.CharField(
        max_length=200,
        widget=UnfoldAdminTextInputWidget(attrs=_LIVE),
        help_text="“every day at 7:00”, “weekdays at 7:00”, “Mondays and Thursdays at 18:30”,"
        " “first of the month at 6:00”, “every hour”, or cron: 0 7 * * 1",
    )
    zone = forms.CharField(
        label="Time zone",
        max_length=60,
        widget=UnfoldAdminTextInputWidget(attrs={**_LIVE, "list": "zones"}),
        help_text="By whose clock, such as Europe/Berlin; it also says when a day begins.",
    )
    formats = forms.MultipleChoiceField(
        label="Files",
        required=False,
        choices=list(_FORMATS.items()),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="They go with the mail, which shows the report itself.",
    )
    to = forms.CharField(required=False, widget=UnfoldAdminTextInputWidget)
    cc = forms.CharField(label="Copy to", required=False, widget=UnfoldAdminTextInputWidget)
    bcc = forms.CharField(label="Hidden copy to", required=False, widget=UnfoldAdminTextInputWidget)

    class Meta:
        model = ReportSchedule
        fields = [
            "name", "report", "period", "group_by", "compare", "language", "skip_if_empty", "catch_up",
            "pause_after",
        ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, text in FILTERS.items():
            self.fields[name] = forms.CharField(
                label="SKU" if name == "sku" else name.capitalize(), required=False, help_text=text,
                widget=UnfoldAdminTextInputWidget, initial=self.instance.filters.get(name, ""),
            )  # fmt: skip
        self.fields["to"].help_text = "Addresses with commas between them; each gets a mail of its own."
        self._begin()

    def _begin(self) -> None:
        """Show what is stored, or for a new one what most will want."""
        schedule = self.instance
        is_new = schedule.pk is None
        begin: dict[str, Any] = {
            "report": "sales" if is_new else schedule.report,
            "when": "every day at 7:00" if is_new else in_words(schedule.cadence.cron),
            "zone": settings.TIME_ZONE if is_new else schedule.cadence.zone.key,
            "formats": [Format.XLSX.value] if is_new else schedule.formats,
            **{name: ", ".join(getattr(schedule, name)) for name in ("to", "cc", "bcc")},
        }
        self.initial = {**begin, **self.initial}  # an address that leads to a new one may say some of it

    def clean_to(self) -> list[str]:
        return _addresses(self.cleaned_data["to"])

    def clean_cc(self) -> list[str]:
        return _addresses(self.cleaned_data["cc"])

    def clean_bcc(self) -> list[str]:
        return _addresses(self.cleaned_data["bcc"])

    def clean(self) -> dict[str, Any]:
        """What the fields say together: when it is due, and what the report can be asked."""
        data = super().clean() or self.cleaned_data
        self._check_report(data)
        if not (self.errors or data["to"] or data["cc"] or data["bcc"] or data["formats"]):
            self.add_error("to", "Nobody would get anything: give an address, or choose a file to be kept.")
        if self._is_read("zone", zone_of) & self._is_read("when", cron_of):
            self._is_read("when", self._keep_cadence)
        return data

    def _is_read(self, name: str, read: Callable[[str], object]) -> bool:
        """Whether a field says what can be read; if not, its error tells why."""
        try:
            read(self.cleaned_data.get(name, "").strip())
        except CadenceError as error:
            self.add_error(name, str(error))
        return name not in self.errors

    def _keep_cadence(self, when: str) -> None:
        self.instance.crontab = row_of(parse(when, self.cleaned_data["zone"].strip(), now=timezone.now()))

    def _check_report(self, data: dict[str, Any]) -> None:
        report = REPORTS.get(data.get("report", ""))
        if report is None:
            return
        if data.get("group_by") not in report.groupings:
            self.add_error("group_by", f"{report.name} can't be shown by that.")
        if data.get("compare") and not report.compares:
            self.add_error("compare", f"{report.name} has nothing to be compared with.")
        for name in FILTERS:
            if data.get(name) and name not in report.filters:
                self.add_error(name, f"{report.name} can't be narrowed down by that; leave it blank.")

    def save(self, commit: bool = True) -> ReportSchedule:
        """Put on the schedule what has no field of the model's kind."""
        schedule: ReportSchedule = self.instance
        for name in ("to", "cc", "bcc", "formats", "report"):
            setattr(schedule, name, self.cleaned_data[name])
        typed = {name: self.cleaned_data[name].strip() for name in FILTERS}
        schedule.filters = {name: text for name, text in typed.items() if text}
        return super().save(commit)


def _addresses(text: str) -> list[str]:
    """Each once, in the order in which they were typed."""
    listed = [part for part in re.split(r"[,;\s]+", text) if part]
    for address in listed:
        try:
            validate_email(address)
        except forms.ValidationError:
            raise forms.ValidationError(
                f"“{address}” is not a mail address, which is something like name@example.com."
            ) from None
    return list(dict.fromkeys(listed))
