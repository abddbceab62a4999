"""Memory: how much a process of a worker takes for itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROC = Path("/proc")
KB = 1024


def of(pid: int, beyond: int, proc: Path = PROC) -> int:
    """Return a process's memory in bytes; 0 when it is gone.

    What it shares with its siblings, the app most of all, counts in parts (PSS). That
    costs the kernel a walk through its pages, so the resident set is asked first.

    Args:
        pid: the process.
        beyond: bytes up to which the resident set is answer enough.
        proc: where Linux has its processes.
    """
    if sys.platform != "linux":
        return _by_ps(pid)
    resident = _field(proc / str(pid) / "status", "VmRSS")
    if resident <= beyond:
        return resident
    return _field(proc / str(pid) / "smaps_rollup", "Pss") or resident


def _field(path: Path, name: str) -> int:
    try:
        lines = path.read_text("ascii", "replace").splitlines()
    except OSError:
        return 0  # it has just ended, or this kernel has no such file
    for line in lines:
        word, _, rest = line.partition(":")
        if word == name:
            return int(rest.split()[0]) * KB
    return 0


def _by_ps(pid: int) -> int:
    command = ["/bin/ps", "-o", "rss=", "-p", str(pid)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a fixed program and a number
    return int(told.stdout.strip() or 0) * KB
