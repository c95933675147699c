"""What is typed wrongly behind a command is refused in a line: never a traceback, never exit code 0."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from imports import pipeline, undoing
from imports.models import ExportRun, ImportRun
from tests.imports.running import confirm, import_rows, receive, row, work

pytestmark = pytest.mark.django_db

BYTES = "caf\udce9"  # as Python has an argument whose bytes are no UTF-8
STEERED = ["pause_import", "resume_import", "cancel_import", "undo_import"]


def refusal(*arguments: str) -> tuple[str, int]:
    """What the command says, and its exit code (2 where argparse refuses, which raises none here)."""
    with pytest.raises(CommandError) as refused:
        call_command(*arguments)
    text = str(refused.value)
    assert "\n" not in text
    return text, refused.value.returncode


@pytest.mark.parametrize("command", STEERED)
@pytest.mark.parametrize("given", ["x", "", "1.5", BYTES])
def test_id_that_is_no_number_is_refused(command: str, given: str) -> None:
    text, _ = refusal(command, given)
    assert text == f"Error: argument id: invalid int value: {given!r}"


@pytest.mark.parametrize("given", ["0", "999999", "99999999999999999999"])
@pytest.mark.parametrize(
    "command",
    [
        *([name] for name in STEERED),
        *(["import_catalog", f"--{name}"] for name in ("approve", "discard", "retry-skipped")),
    ],
)
def test_id_of_no_import_is_refused(command: list[str], given: str) -> None:
    text, code = refusal(*command, given)
    assert (text.partition(".")[0], code) == (f"There is no import {given}", 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["import_catalog"], "one of the arguments file --approve --discard --retry-skipped is required"),
        (["import_catalog", "a.csv", "--approve", "1"], "not allowed with argument file"),
        (["import_catalog", "a.csv", "--mode", "merge"], "invalid choice: 'merge'"),
        (["import_catalog", "a.csv", "--limit", "-1"], "“-1” is not a number that can be shown."),
        (["import_catalog", "a.csv", "--limit", "9" * 20], "is not a number that can be shown."),
        (["import_catalog", "a.csv", "--errors", "9" * 5000], "is not a number that can be shown."),
        (["import_catalog", "a.csv", "--set", f"name={BYTES}"], "“name=caf\\udce9” is no text in UTF-8."),
        (["import_catalog", "a.csv", "--clear-token", BYTES], "is no text in UTF-8."),
        (["import_catalog", "a.csv", "--source", BYTES], "is no text in UTF-8."),
        (["import_catalog", "a.csv", "--mirror-category", BYTES], "is no text in UTF-8."),
        (["import_history", "--limit", "0"], "Write 1 or more."),
        (["import_history", "--limit", "9" * 20], "is not a number that can be shown."),
        (["import_history", "--sku", BYTES], "is no text in UTF-8."),
        (["export_catalog", "a.csv", "--category", BYTES], "is no text in UTF-8."),
        (["export_catalog", "a.csv", "--format", "pdf"], "invalid choice: 'pdf'"),
        (["inspect_csv", "a.csv", "--rows", "few"], "“few” is not a number that can be shown."),
    ],
)  # fmt: skip
def test_argument_that_can_t_be_used_is_refused(arguments: list[str], message: str) -> None:
    text, _ = refusal(*arguments)
    assert message in text
    assert (ImportRun.objects.exists(), ExportRun.objects.exists()) == (False, False)


@pytest.mark.parametrize("name", ["absent.csv", "folder", "caf\udce9.csv"])
def test_file_that_is_not_there_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    text, code = refusal("import_catalog", str(tmp_path / name))
    why = "Is a directory" if name == "folder" else "No such file or directory"
    assert (text, code) == (f"Can't read {tmp_path / name}: {why}.", 2)


def test_import_in_another_state_is_refused() -> None:
    draft, done = receive("sku,name\nA,Pot\n"), import_rows([row("D")])
    unwanted = pipeline.discard(run=work(confirm([row("C")], preview=True)))
    undo = undoing.begin(done)

    said = [
        (("pause_import", draft), f"It can't be paused: {draft} is to be confirmed.", 1),
        (("resume_import", done), f"It can't be resumed: {done} is completed.", 1),
        (("cancel_import", unwanted, "--undo"), f"It can't be cancelled: {unwanted} is cancelled.", 1),
        (("import_catalog", "--approve", done), f"It can't be approved: {done} is completed.", 1),
        (
            ("import_catalog", "--approve", undo),
            f"It can't be approved: {undo} is {undo.get_state_display()}.",
            1,
        ),
        (("import_catalog", "--discard", draft), f"It can't be discarded: {draft} is to be confirmed.", 1),
        (
            ("import_catalog", "--retry-skipped", done),
            f"{done} skipped no rows because of changes since its preview.",
            1,
        ),
        (
            ("undo_import", draft),
            f"{draft} is not over (to be confirmed). Cancel it, or wait for its end.",
            2,
        ),
        (
            ("undo_import", unwanted, "--preview"),
            f"{unwanted} changed nothing, so there is nothing to take back.",
            2,
        ),
        (("undo_import", done), f"{done} is being taken back by undo {undo.pk}.", 2),
    ]
    for command, *expected in said:
        given = [str(part.pk) if isinstance(part, ImportRun) else part for part in command]
        assert [*refusal(*given)] == expected
