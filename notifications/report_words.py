"""What mails about reports say of them besides the report itself, in the language that is active."""

from __future__ import annotations

from babel.dates import format_time, get_day_names
from babel.lists import format_list
from babel.units import format_unit
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from reports.cadence import Rhythm, rhythm_of
from reports.catalogue import REPORTS
from reports.models import ReportRun, ReportSchedule
from shop.languages import apart, locale


def name(run: ReportRun) -> str:
    """What its schedule is called; one that somebody asked for is called after its report."""
    if run.schedule or run.asked.report not in REPORTS:
        return run.title
    return str(REPORTS[run.asked.report].name)


def when(schedule: ReportSchedule) -> str:
    """When it is due, to stand in a sentence: `every Monday and Thursday at 7:30 AM (Europe/Berlin)`. What
    has no words is told by its cron expression."""
    cadence = schedule.cadence
    zone = apart(cadence.zone.key)
    if cadence.cron == "0 * * * *":
        return _("every hour (%(zone)s)") % {"zone": zone}
    if not (rhythm := rhythm_of(cadence.cron)):
        return _("as the expression %(cron)s says (%(zone)s)") % {"cron": apart(cadence.cron), "zone": zone}
    time = format_time(rhythm.at, "short", locale=locale())
    return _("%(days)s at %(time)s (%(zone)s)") % {"days": _days(rhythm), "time": time, "zone": zone}


def _days(rhythm: Rhythm) -> str:
    count = len(rhythm.days)
    match rhythm.span:
        case "day":
            return _("every day")
        case "weekday":
            return _("Monday to Friday")
        case "week":
            days = ngettext("every %(days)s", "every %(days)s", count)
        case "month":
            days = ngettext("on day %(days)s of every month", "on days %(days)s of every month", count)
        case "quarter":
            days = ngettext("on day %(days)s of every quarter", "on days %(days)s of every quarter", count)
        case "year":
            days = ngettext("on day %(days)s of every year", "on days %(days)s of every year", count)
    return days % {"days": _listed(rhythm)}


def _listed(rhythm: Rhythm) -> str:
    """Days of the week by name, others by number."""
    listed = [str(day) for day in rhythm.days]
    if rhythm.span == "week":
        names = get_day_names("wide", "stand-alone", locale=locale())
        # Cron's weeks begin on Sunday, Babel's on Monday.
        listed = [names[(day - 1) % 7] for day in rhythm.days]
    return format_list(listed, locale=locale())


def listed(things: list[str]) -> str:
    """One after the other: `a, b and c`."""
    return format_list(things, locale=locale())


def size(count: int) -> str:
    """So many bytes: `117.2 kB`."""
    unit, bytes_of = ("megabyte", 1_000_000) if count >= 1_000_000 else ("kilobyte", 1_000)
    return format_unit(max(count / bytes_of, 0.1), f"digital-{unit}", "short", "#,##0.#", locale=locale())


def stopped(failures: int) -> str:
    """Why a schedule pauses; what went wrong the last time follows."""
    return ngettext(
        "It failed %(count)s time, with:", "It failed %(count)s times in a row, the last time with:", failures
    ) % {"count": failures}
