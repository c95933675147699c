"""The admin's pages of reports."""

from reports.run_admin import ReportRunAdmin as ReportRunAdmin
from reports.schedule_admin import ReportScheduleAdmin as ReportScheduleAdmin
