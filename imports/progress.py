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
    begin = _BEGINS.get(run.state, 0)
    end = _ENDS.get(run.state, begin)
    percent = begin + (end - begin) * done // total if total else begin
    if run.state in ("failed", "cancelled"):
        percent = _reached(run)
    seconds = run.seconds or 0.0
    moving = run.is_active and not run.paused_at and 5 < percent < 100
    return Progress(
        phase=f"paused while {run.get_state_display()}" if run.paused_at else run.get_state_display(),
        percent=percent,
        done=done,
        total=total,
        unit=unit,
        seconds=seconds,
        rows_per_second=round(done / seconds) if seconds else 0,
        seconds_left=max(1, round(seconds * (100 - percent) / percent)) if moving else None,
    )


def _counted(run: ImportRun) -> tuple[int, int, str]:
    if run.state in ("planning", "waiting", "staging"):
        return run.lines_staged, run.lines, "lines"
    return run.rows - run.pending, run.rows, "rows"


def _reached(run: ImportRun) -> int:
    """Where an import that ended early had got to."""
    if run.ranges_total:
        return 36 + 62 * run.ranges_done // run.ranges_total
    return 2 + 28 * run.lines_staged // run.lines if run.lines else 0
