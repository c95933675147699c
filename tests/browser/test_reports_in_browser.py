"""A manager asks for a report, takes it along, and has it come by itself."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.test_accessibility import FINE, seen
from tests.stack import Stack

INTO_GROUP = """
INSERT INTO auth_user_groups (user_id, group_id)
SELECT u.id, g.id FROM auth_user u, auth_group g WHERE u.username = 'staff' AND g.name = 'reports'
"""
PAID = "SELECT sum(total)::text FROM shop_order WHERE (paid_at AT TIME ZONE 'UTC')::date BETWEEN %s AND %s"


def test_manager_chooses_a_report_downloads_it_and_schedules_it(
    visit: Visit, stack: Stack, tmp_path: Path
) -> None:
    done = stack.manage("make_sales", "600", "--days", "40")
    assert done.returncode == 0, done.stderr
    stack.sql(INTO_GROUP)
    page = visit("reports/reportrun/ask/")

    page.get_by_label("By", exact=True).select_option("category")
    expect(page.get_by_role("heading", name="Sales by category")).to_be_visible()
    page.get_by_role("button", name="Last 7 days").click()
    expect(page.get_by_role("button", name="Last 7 days")).to_have_attribute("aria-current", "true")
    found = {"asked": seen(page)}
    expect(page.get_by_role("heading", name="Sales by category")).to_be_visible()  # after a reload, too
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV", exact=True).click()
    download.value.save_as(tmp_path / "report.csv")

    page.get_by_role("link", name="Schedule this…").click()
    expect(page.locator("#id_group_by")).to_have_value("category")
    expect(page.locator("#id_period")).to_have_value("last_7_days")
    found["schedule"] = seen(page)
    page.locator("#id_to").fill("ada@example.com")
    page.locator("#id_when").fill("every fortnight")
    expect(page.locator("#next-runs")).to_contain_text("every fortnight")
    page.locator("#id_when").fill("Mondays at 7:00")
    expect(page.locator("#next-runs li")).to_have_count(5)
    expect(page.locator("#next-runs li").first).to_contain_text(re.compile(r"Mon .* 07:00"))
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Sales by category, the 7 days before").first.click()
    expect(page.locator("#next-runs li")).to_have_count(5)

    days = parse_qs(urlsplit(download.value.url).query)
    with (tmp_path / "report.csv").open(newline="") as file:
        *_, total = csv.DictReader(file)
    assert [(total["gross"],)] == stack.sql(PAID, (days["first"][0], days["last"][0]))
    assert stack.sql('SELECT name, group_by, period, "to" FROM reports_reportschedule') == [
        ("Sales by category, the 7 days before", "category", "last_7_days", ["ada@example.com"])
    ]
    assert found == dict.fromkeys(found, FINE)
