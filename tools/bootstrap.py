"""Make `.venv` with everything from requirements-dev.txt, on a machine that has git, make and some Python 3.

Runs on any Python from 3.8, with the standard library alone. uv does the work: the one on PATH, or else one
put into `.venv-bootstrap` with the means that the machine has. `bootstrap.py uv ARGUMENTS…` runs that uv.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
OWN = ROOT / ".venv-bootstrap"
REQUIREMENTS = "requirements-dev.txt"


def main(arguments: list[str]) -> int:
    """Returns the exit code; what went wrong is one line on stderr."""
    uv = find_uv() or install_uv()
    if uv is None:
        return fail("uv is missing and can't be installed. Install uv, or Python's venv (python3-venv).")
    if arguments[:1] == ["uv"]:
        return subprocess.call([uv, *arguments[1:]])
    return make_venv(uv) or fill_venv(uv)


def make_venv(uv: str) -> int:
    wanted = (ROOT / ".python-version").read_text().strip()
    if has_python(wanted):
        return 0
    shutil.rmtree(str(VENV), ignore_errors=True)
    if subprocess.call([uv, "venv", "--quiet", "--python", wanted, str(VENV)]):
        return fail(f"Python {wanted} isn't here and can't be downloaded. Install it, then run `make setup`.")
    return 0


def fill_venv(uv: str) -> int:
    command = [uv, "pip", "sync", "--quiet", "--require-hashes", "--python", str(VENV), REQUIREMENTS]
    if subprocess.call(command):
        return fail(f"{REQUIREMENTS} can't be installed, see above. Then run `make setup` again.")
    return 0


def fail(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


def find_uv() -> str | None:
    own = shutil.which("uv", path=str(OWN / "bin"))
    return next((uv for uv in (shutil.which("uv"), own) if uv and succeeds(uv, "--version")), None)


def install_uv() -> str | None:
    """Try each Python on PATH: its venv first, then its pip, as Debian's python3 may lack either."""
    on_path = [shutil.which(name) for name in ("python3.13", "python3.12", "python3", "python")]
    for python in filter(None, [sys.executable, *on_path]):
        if install_uv_with_venv(python) or install_uv_with_pip(python):
            return find_uv()
    return None


def install_uv_with_venv(python: str) -> bool:
    shutil.rmtree(str(OWN), ignore_errors=True)
    inside = str(OWN / "bin" / "python")
    return succeeds(python, "-m", "venv", str(OWN)) and succeeds(inside, "-m", "pip", "install", "uv")


def install_uv_with_pip(python: str) -> bool:
    shutil.rmtree(str(OWN), ignore_errors=True)
    return succeeds(python, "-m", "pip", "install", "--target", str(OWN), "uv")


def succeeds(*command: str) -> bool:
    """Whether the command works; what it says when it doesn't helps nobody, as others are tried next."""
    try:
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    except OSError:
        return False
    return done.returncode == 0


def has_python(wanted: str) -> bool:
    """Whether `.venv` has this version (like `3.13`) already."""
    question = f"import sys; sys.exit('%d.%d' % sys.version_info[:2] != {wanted!r})"
    return succeeds(str(VENV / "bin" / "python"), "-c", question)


if __name__ == "__main__":
    os.chdir(str(ROOT))
    sys.exit(main(sys.argv[1:]))
