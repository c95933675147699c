"""What the mail of an import says: subject, plain text and HTML."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone, translation

from imports.models import ImportRun
from notifications import checks, messages
from tests.notifications.conftest import ended_run

pytestmark = pytest.mark.django_db

NOTHING = {"created": 0, "unchanged": 0, "rejected": 0}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "finished: 99,500 of 100,000 rows landed, 500 rejected"),
        ({"rejected": 0}, "finished: all 99,500 rows landed"),
        ({**NOTHING, "created": 1}, "finished: all 1 row landed"),
        ({**NOTHING, "rejected": 1}, "finished: 0 of 1 row landed, 1 rejected"),
        ({"rejected": 0, "superseded": 7}, "finished: 99,500 of 99,507 rows landed"),
        (NOTHING, "finished: no row was read"),
        (
            {"state": "failed", "error": "The disk\nis <full> & more", "pending": 1},
            "failed: The disk is <full> & more",
        ),
        ({"state": "failed", "error": "x" * 200}, f"failed: {'x' * 119}…"),
        ({"state": "failed"}, "failed: it could not go on"),
        (
            {"state": "cancelled", "pending": 20_000},
            "was cancelled: 99,500 of 120,000 rows landed, 500 rejected",
        ),
        ({"state": "cancelled", **NOTHING}, "was cancelled: no row was read"),
    ],
)
def test_subject_tells_the_outcome(changes: dict[str, Any], expected: str) -> None:
    run = ended_run(**changes)

    assert messages.import_finished(run).subject == f"Import {run.pk} {expected}"


def test_text_reads_well_by_itself(settings: Any) -> None:
    settings.SITE_URL = "https://shop.example"
    run = ended_run(pk=1234)

    assert messages.import_finished(run).text == (
        "Import 1234 finished: 99,500 of 100,000 rows landed, 500 rejected\n"
        "\n"
        "catalog.csv\n"
        "\n"
        "Created: 90,000\n"
        "Unchanged: 9,500\n"
        "Rejected: 500\n"
        "Rows in the file: 100,000\n"
        "\n"
        "99.5 % of the rows were accepted, in 8.0 seconds (12,500 rows a second).\n"
        "\n"
        "Open import 1234:\n"
        "https://shop.example/admin/imports/importrun/1234/change/\n"
        "\n"
        "Download the 500 rejected rows:\n"
        "https://shop.example/admin/imports/importrun/1234/rejected/\n"
        "Each says what is wrong. Mend them there and upload that file.\n"
        "\n"
        "-- \n"
        "Tallyman, https://shop.example\n"
        "You receive this because you started the import or look after the shop.\n"
    )


def test_text_of_a_failed_import_says_why_and_what_stays() -> None:
    text = messages.import_finished(
        ended_run(state="failed", error="The disk is full.", rejected=0, pending=500)
    ).text

    assert text.split("\n\n")[1] == "99,500 of 100,000 rows landed"
    assert text.split("\n\n")[3:6] == [
        "What happened: The disk is full.",
        "Created: 90,000\nUnchanged: 9,500\nNot reached: 500\nRows in the file: 100,000",
        "It ran for 8.0 seconds. Rows that had landed by then stay in the catalogue.",
    ]
    assert "rejected" not in text


def test_success_rate_of_one_rejected_row_in_a_million_is_not_100() -> None:
    text = messages.import_finished(ended_run(created=989_999, unchanged=10_000, rejected=1)).text

    assert "99.9 % of the rows were accepted" in text


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.04, "0.0 seconds"),
        (59.94, "59.9 seconds"),
        (59.99, "1 minute"),
        (200, "3 minutes and 20 seconds"),
        (3900, "1 hour and 5 minutes"),
    ],
)
def test_duration_is_told_as_people_say_it(seconds: float, expected: str) -> None:
    now = timezone.now()
    run = ended_run(confirmed_at=now - timedelta(seconds=seconds), finished_at=now)

    assert f", in {expected} (" in messages.import_finished(run).text


def test_html_carries_its_style_inline_and_nothing_to_fetch() -> None:
    html = messages.import_finished(ended_run()).html

    assert '<meta name="color-scheme" content="light dark">' in html
    assert html.count("<style") == 1  # what can't be inline: dark mode and phones
    assert "max-width: 600px" in html
    assert ("src=" in html, "<link" in html, "@import" in html, "url(" in html) == (False,) * 4
    assert len(html.encode()) < 100_000


def test_mail_has_the_logo_and_the_colours_of_the_settings(settings: Any) -> None:
    settings.SHOP_LOGO, settings.SHOP_NAME = "https://shop.example/logo.png", "Bowls & more"
    settings.SHOP_COLOUR, settings.SHOP_COLOUR_DARK = "#7a1f5c", "#e6a3cf"

    html = messages.import_finished(ended_run()).html

    assert re.findall(r"<img [^>]*>", re.sub(r"; (?=[a-z-]+:)", ";", html)) == [
        '<img src="https://shop.example/logo.png" alt="Bowls &amp; more" height="32"'
        ' style="font-size: 18px;line-height: 32px;font-weight: 600;border: 0;">'
    ]
    assert (html.count("#7a1f5c"), html.count("#e6a3cf"), "#026d71" in html) == (3, 2, False)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SHOP_COLOUR", "teal", ["mail.E003"]),
        ("SHOP_COLOUR", "#54baba", ["mail.W002"]),
        ("SHOP_COLOUR_DARK", "#026d71", ["mail.W002"]),
        ("SHOP_LOGO", "logo.png", ["mail.E002"]),
        ("SHOP_LOGO", "https://shop.example/logo.png", []),
    ],
)
def test_check_finds_a_look_that_nobody_can_read(
    settings: Any, name: str, value: str, told: list[str]
) -> None:
    assert checks.look_is_legible() == []
    setattr(settings, name, value)

    assert [found.id for found in checks.look_is_legible()] == told


@pytest.mark.parametrize(
    ("language", "subject", "sentence"),
    [
        (
            "de",
            "Import 1234 abgeschlossen: 99.500 von 100.000 Zeilen angekommen, 500 abgelehnt",
            "99,5 % der Zeilen wurden angenommen, in 8,0 Sekunden (12.500 Zeilen pro Sekunde).",
        ),
        (
            "fr",
            "Importation 1234 terminée : 99 500 lignes sur 100 000 enregistrées, 500 rejetées",
            "99,5 % des lignes ont été acceptées, en 8,0 secondes (12 500 lignes par seconde).",
        ),
    ],
)
def test_import_is_told_in_the_language_of_the_shop(
    settings: Any, language: str, subject: str, sentence: str
) -> None:
    settings.LANGUAGE_CODE = language
    mail = messages.import_finished(ended_run(pk=1234))

    told = re.sub(r"[\u202f\xa0]", " ", mail.text)
    assert re.sub(r"[\u202f\xa0]", " ", mail.subject) == subject
    assert sentence in told
    assert f'<html lang="{language}"' in mail.html


def test_html_shows_names_of_files_as_text() -> None:
    html = messages.import_finished(ended_run(filename="<b>x</b>.csv", state="failed", error="a <i> b")).html

    assert "&lt;b&gt;x&lt;/b&gt;.csv" in html
    assert "a &lt;i&gt; b" in html


def test_mail_is_the_same_whoever_asks_for_it() -> None:
    run = ended_run()
    plain = messages.import_finished(run)

    with translation.override("de"):
        assert messages.import_finished(run) == plain


def test_import_that_never_began_has_a_mail() -> None:
    run = ended_run(state=ImportRun.State.CANCELLED, confirmed_at=None, **NOTHING)

    assert messages.import_finished(run).text.split("\n\n")[2] == (
        "It ran for 0.0 seconds. Rows that had landed by then stay in the catalogue."
    )
