"""Ask which of the versions that we pin are known to be vulnerable: `make audit`.

pip-audit asks osv.dev (or what AUDIT_URL names) about everything in requirements-dev.txt, which has all of
requirements.txt. Exit code 1 when a version is vulnerable and a fixed one is there. Where nobody can be
asked, that is said and is no failure: a network that is shut says nothing about what we depend on.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PIP_AUDIT = "pip-audit==2.10.1"
_UNREACHABLE = re.compile(r"Connection|Timeout|timed out|resolve|Failed to fetch|network|Max retries")


def main() -> int:
    """Returns the exit code; what was found is said on stdout."""
    command = [
        sys.executable, "tools/bootstrap.py", "uv", "tool", "run", "--quiet", PIP_AUDIT,
        "--requirement", "requirements-dev.txt", "--require-hashes", "--disable-pip",
        "--vulnerability-service", "osv", "--format", "json", "--progress-spinner", "off", "--timeout", "15",
    ]  # fmt: skip
    if url := os.environ.get("AUDIT_URL"):
        command += ["--osv-url", url]
    done = subprocess.run(command, cwd=str(ROOT), capture_output=True, text=True, check=False)
    said, code = judge(done.stdout, done.stderr)
    print(said)
    return code


def judge(output: str, errors: str) -> tuple[str, int]:
    """What to say of pip-audit's JSON and of what it said on stderr, and the exit code."""
    try:
        asked = json.loads(output)["dependencies"]
    except (ValueError, KeyError):
        why = errors.strip().splitlines()[-1:] or ["pip-audit said nothing"]
        if _UNREACHABLE.search(why[0]):
            return f"WARNING: dependencies were not audited, for nobody could be asked. {why[0][:300]}", 0
        return f"pip-audit could not be run. {why[0][:300]}", 1
    found = [(one, flaw) for one in asked for flaw in one.get("vulns", ())]
    skipped = [one["name"] for one in asked if "skip_reason" in one]
    lines = [_line(one, flaw) for one, flaw in found]
    if skipped:
        lines.append(f"WARNING: nothing is known of {', '.join(skipped)}.")
    fixable = sum(bool(flaw["fix_versions"]) for _, flaw in found)
    lines.append(
        f"{len(asked) - len(skipped)} dependencies audited: {len(found)} known vulnerabilities,"
        f" {fixable} of them fixed in newer versions."
    )
    return "\n".join(lines), 1 if fixable else 0


def _line(one: dict[str, str], flaw: dict[str, list[str]]) -> str:
    names = ", ".join([str(flaw["id"]), *flaw.get("aliases", [])])
    fixed = " or ".join(flaw["fix_versions"])
    remedy = f"fixed in {fixed}: `make lock UPGRADE=1`" if fixed else "WARNING: no fixed version yet"
    return f"{one['name']} {one['version']}: {names}; {remedy}"


if __name__ == "__main__":
    sys.exit(main())
