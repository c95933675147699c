"""The tables of reports."""

from reports.models.schedule import ReportFile as ReportFile
from reports.models.schedule import ReportRun as ReportRun
from reports.models.schedule import ReportSchedule as ReportSchedule
