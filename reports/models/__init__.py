"""What reports keep of their own."""

from reports.models.daily import Change as Change
from reports.models.daily import DailyItem as DailyItem
from reports.models.daily import DailySales as DailySales
from reports.models.daily import RolledDay as RolledDay
from reports.models.refund import RefundPart as RefundPart
from reports.models.schedule import ReportFile as ReportFile
from reports.models.schedule import ReportRun as ReportRun
from reports.models.schedule import ReportSchedule as ReportSchedule
