"""How far an import is, as one value that the page, the terminal and the admin list show alike."""

from __future__ import annotations

from dataclasses import dataclass

from imports.models import ImportRun

# Share of the whole that each phase takes, measured on first imports; only the bar depends on it.
_BEGINS = {
    "draft": 0, "planning": 0, "waiting": 2, "staging": 2, "checking": 30, "loading": 36, "finishing": 98,
    "completed": 100,
}  # fmt: skip
_ENDS = {"staging": 30, "loading": 98}
# A preview has a bar of its own, and so has the writing once it is approved.
_PREVIEW_BEGINS = {"staging": 2, "checking": 50, "previewed": 100}
_PREVIEW_ENDS = {"staging": 50, "checking": 100}
_APPROVED_BEGINS = {"finishing": 98, "completed": 100}
_APPROVED_ENDS = {"loading": 98}


_PREVIEW_NAMES = {"staging": "preview: checking rows", "checking": "preview: comparing with the catalogue"}


@dataclass(frozen=True, slots=True)
class Progress:
    """`percent` 0–100; `done` of `total` in the phase's own unit (lines, then rows); times in seconds."""

    phase: str
    percent: int
    done: int
    total: int
    unit: str
    seconds: float
    rows_per_second: int
    seconds_left: int | None


def progress_of(run: ImportRun) -> Progress:
    """Work out the progress from the run's counters alone."""
    done, total, unit = _counted(run)
    begins, ends = _phases(run)
    begin = begins.get(run.state, 0)
    if run.kind == ImportRun.Kind.UNDO and run.state == ImportRun.State.LOADING:
        begin = 2  # nothing came before
    end = ends.get(run.state, begin)
    percent = begin + (end - begin) * done // total if total else begin
    if run.state in ("failed", "cancelled"):
        percent = _reached(run)
    seconds = run.seconds or 0.0
    moving = (run.is_active or run.state in _PREVIEW_ENDS) and not run.paused_at and 5 < percent < 100
    spent = _since_approval(run, seconds)
    phase = run.get_state_display()
    if run.preview:
        phase = _PREVIEW_NAMES.get(run.state, phase)
    if run.kind == ImportRun.Kind.UNDO and run.state == ImportRun.State.LOADING:
        phase = "taking back"
    return Progress(
        phase=f"paused while {phase}" if run.paused_at else phase,
        percent=percent,
        done=done,
        total=total,
        unit=unit,
        seconds=seconds,
        rows_per_second=round(done / seconds) if seconds and unit != "parts" else 0,
        seconds_left=max(1, round(spent * (100 - percent) / percent)) if moving else None,
    )


def _phases(run: ImportRun) -> tuple[dict[str, int], dict[str, int]]:
    if not run.preview:
        return _BEGINS, _ENDS
    return (_APPROVED_BEGINS, _APPROVED_ENDS) if run.approved_at else (_PREVIEW_BEGINS, _PREVIEW_ENDS)


def _since_approval(run: ImportRun, seconds: float) -> float:
    """The seconds that its present bar has taken."""
    if run.approved_at is None or run.confirmed_at is None or run.previewed_at is None:
        return seconds
    return seconds - (run.previewed_at - run.confirmed_at).total_seconds()


def _counted(run: ImportRun) -> tuple[int, int, str]:
    if run.kind == ImportRun.Kind.UNDO:
        return run.rows - run.pending, run.rows, "products"
    if run.state in ("planning", "staging") or (run.state == "waiting" and not run.preview):
        return run.lines_staged, run.lines, "lines"
    if run.state == "checking" and run.preview:
        return run.ranges_compared, run.ranges_total, "parts"
    return run.rows - run.pending, run.rows, "rows"


def _reached(run: ImportRun) -> int:
    """Where an import that ended early had got to."""
    if run.kind == ImportRun.Kind.UNDO:
        return 100 * (run.rows - run.pending) // run.rows
    if run.ranges_total:
        return 36 + 62 * run.ranges_done // run.ranges_total
    return 2 + 28 * run.lines_staged // run.lines if run.lines else 0
