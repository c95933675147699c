"""Mails about reports: in the language of their schedule, from what reports announce."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from babel.dates import format_date
from babel.numbers import format_currency
from django.contrib.auth.models import User
from django.utils import timezone, translation

from notifications import report_words
from notifications.models import Message
from reports import scheduling
from reports.models import ReportRun, ReportSchedule
from tests.reports.schedules import a_schedule, at, work
from tests.shop.factories import a_product
from tests.shop.orders import a_paid_order

stored = pytest.mark.django_db(transaction=True)
FAILED = {
    "en": "Report failed: Today",
    "de": "Bericht fehlgeschlagen: Today",
    "fr": "Échec du rapport : Today",
    "es": "Informe fallido: Today",
    "ar": "فشل التقرير: Today",
}
PAUSED = {
    "en": "It failed 2 times in a row, the last time with:",
    "de": "Der Bericht schlug 2-mal in Folge fehl, zuletzt mit:",
    "fr": "Le rapport a échoué 2 fois de suite, la dernière fois avec :",
    "es": "El informe falló 2 veces seguidas, la última con:",
    "ar": "فشل التقرير مرتين متتاليتين، وكان آخر خطأ:",
}
COMES = {
    ("30 7 * * 1,4", "en"): "every Monday and Thursday at 7:30 AM (UTC)",
    ("30 7 * * 1,4", "de"): "jeden Montag und Donnerstag um 07:30 Uhr (UTC)",
    ("30 7 * * 0", "fr"): "chaque dimanche à 07:30 (UTC)",
    ("30 7 * * 1,4", "ar"): "يومي الاثنين والخميس من كل أسبوع عند الساعة 7:30 ص (\u2068UTC\u2069)",
    ("0 6 1 1,4,7,10 *", "de"): "am 1. Tag jedes Quartals um 06:00 Uhr (UTC)",
    ("0 6 1,15 * *", "es"): "los días 1 y 15 de cada mes a las 6:00 (UTC)",
    ("0 6 2 1 *", "en"): "on day 2 of every year at 6:00 AM (UTC)",
    ("0 18 * * 1-5", "fr"): "du lundi au vendredi à 18:00 (UTC)",
    ("0 7 * * *", "de"): "täglich um 07:00 Uhr (UTC)",
    ("0 * * * *", "es"): "cada hora (UTC)",
    ("*/5 7 * * 1", "ar"): "وفق التعبير \u2068*/5 7 * * 1\u2069 (\u2068UTC\u2069)",
}


@pytest.fixture(autouse=True)
def own_storage(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def made(**values: Any) -> ReportRun:
    """The run of a schedule that a worker has tried to make."""
    since = timezone.now() - timedelta(minutes=1)
    given = {"name": "Today", "period": "today", "formats": ["csv", "xlsx"], **values}
    run = scheduling.run_now(a_schedule("Mondays at 7:00", since=since, **given), now=timezone.now())
    work(run)
    return run


@stored
@pytest.mark.parametrize("language", ["de", "ar"])
def test_report_is_mailed_in_the_language_of_its_schedule(language: str, settings: Any) -> None:
    product = a_product(stock=10, price="1250")
    a_paid_order({product.sku: 2})

    run = made(language=language)

    mail = Message.objects.get(about=run.subject)
    day = format_date(run.asked.period.first, "medium", locale=language)
    total = format_currency(2500, settings.STORE_CURRENCY, locale=language)
    orders = {"de": "Bestellungen", "ar": "الطلبات"}[language]
    with translation.override(language):
        comes = report_words.when(ReportSchedule.objects.get())
    direction = "rtl" if language == "ar" else "ltr"
    assert mail.subject == f"Today: {day}"
    assert f'<html lang="{language}" dir="{direction}"' in mail.html
    for said in (total, orders, comes):
        assert (said, said in mail.text, said in unescape(mail.html)) == (said, True, True)
    assert re.findall(r"\b(?:Orders|Gross|Total|Made|Attached|compared|before)\b", mail.text) == []
    assert run.files.get(format="csv").read().startswith(b"day,orders,")


@stored
@pytest.mark.parametrize("language", FAILED)
def test_failure_and_pause_are_told_in_the_language_of_the_schedule(language: str) -> None:
    User.objects.create_superuser("olga", "olga@example.com")
    run = made(report="weather", pause_after=2, language=language)
    schedule = run.schedule
    assert schedule is not None
    work(scheduling.run_now(schedule, now=timezone.now()))

    failed, paused = Message.objects.order_by("pk")
    assert (failed.kind, failed.subject) == ("report_failed", FAILED[language])
    assert format_date(run.asked.period.first, "medium", locale=language) in failed.text
    assert (paused.kind, PAUSED[language] in paused.text, run.error in paused.text) == (
        "schedule_paused",
        True,
        True,
    )
    assert [f'<html lang="{language}"' in mail.html for mail in (failed, paused)] == [True, True]


@stored
def test_mail_whose_template_fails_in_one_language_comes_in_english_and_is_reported(
    settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "templates" / "notifications" / "report_failed" / "body.html"
    path.parent.mkdir(parents=True)
    path.write_text(
        "{% load i18n %}{% get_current_language as code %}"
        '{% if code == "ar" %}{% url "no-such-page" %}{% endif %}{{ error }}'
    )
    (own,) = settings.TEMPLATES
    settings.TEMPLATES = [own | {"DIRS": [tmp_path / "templates", *own["DIRS"]]}]

    run = made(report="weather", language="ar")

    assert (run.state, Message.objects.get().subject) == ("failed", FAILED["en"])
    assert "the mail of a report could not be rendered" in caplog.text


@stored
@pytest.mark.parametrize(("cron", "language"), COMES)
def test_times_are_told_as_people_say_them(cron: str, language: str) -> None:
    schedule = a_schedule(cron, since=at("2026-03-02 07:00"))

    with translation.override(language):
        assert report_words.when(schedule).replace("\u202f", " ") == COMES[cron, language]
