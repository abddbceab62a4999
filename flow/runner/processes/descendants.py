"""Finds what a process has started, and what those have started in turn.

On Linux a process that adopts orphans sees every process that ever came from it,
whatever session or group it moved to. Elsewhere neither the adoption nor /proc
exists: nothing is found here, and only process groups can be signalled.
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
import sys
from pathlib import Path
from typing import NamedTuple

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h
SHARE = re.compile(r"^Pss:\s+(\d+) kB$", re.MULTILINE)
LINUX = sys.platform == "linux"


class Row(NamedTuple):
    """One process, as /proc shows it."""

    pid: int
    state: str
    parent: int
    group: int


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends (Linux only)."""
    if LINUX:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def wake_when_parent_ends() -> None:
    """Go on when the parent ends, even from SIGSTOP (Linux only)."""
    if LINUX:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGCONT, 0, 0, 0)


def children(parent: int) -> list[Row]:
    """Return the processes whose parent is ``parent``, a program of one thread."""
    own = Path(f"/proc/{parent}/task/{parent}/children")
    try:
        rows = [_row(Path("/proc", pid)) for pid in own.read_text("ascii").split()]
    except FileNotFoundError:
        # Not every kernel has that list: then look at all there is.
        return [row for row in _processes() if row.parent == parent]
    return [row for row in rows if row is not None]


def descendants(root: int, spared: frozenset[int] = frozenset()) -> list[Row]:
    """Return what lives below ``root``, parents first; not what is below ``spared``."""
    below: dict[int, list[Row]] = {}
    for row in _processes():
        below.setdefault(row.parent, []).append(row)
    found: list[Row] = []
    parents = [root]
    while parents:
        level = [row for parent in parents for row in below.get(parent, ())]
        level = [row for row in level if row.pid not in spared]
        found += [row for row in level if row.state not in "ZX"]
        parents = [row.pid for row in level]
    return found


def kill_all(root: int, spared: frozenset[int] = frozenset()) -> list[int]:
    """Send KILL to everything below ``root``; return the pids it was sent to.

    A process may fork while the list is read: call it until it returns nothing.
    """
    pids = [row.pid for row in descendants(root, spared)]
    for pid in pids:
        send(pid, signal.SIGKILL)
    return pids


def send(pid: int, number: int) -> None:
    """Send a signal to a process, or to a group as ``-group``, if it is still there."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        # Gone, or another user's by now (sudo): neither is ours to end.
        return


def is_of(row: Row, dyno: str, release: str) -> bool:
    """Return whether a process was started in that dyno, by its environment.

    Args:
        row: the process.
        dyno: such as ``web.1``.
        release: such as ``v12``, or empty; two of them have a web.1 for a moment.
    """
    try:
        text = Path(f"/proc/{row.pid}/environ").read_bytes()
    except OSError:
        return False
    own = text.split(b"\0")
    marks = [one for one in own if one.startswith(b"HEROKU_RELEASE_VERSION=")]
    told = [f"HEROKU_RELEASE_VERSION={release}".encode()] if release else []
    return f"DYNO={dyno}".encode() in own and marks == told


def memory(root: int) -> int:
    """Return the bytes that a process and all below it have in memory (Linux)."""
    return sum(map(_resident, [root, *(row.pid for row in descendants(root))]))


def share(root: int) -> int:
    """Return the bytes of memory that a process and all below it cause (Linux).

    What several processes share counts once: forked workers share most of theirs.
    """
    return sum(map(_share, [root, *(row.pid for row in descendants(root))]))


def _share(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
    except OSError:
        return _resident(pid)  # another user's, by sudo
    found = SHARE.search(text)
    return int(found[1]) << 10 if found else 0


def _resident(pid: int) -> int:
    try:
        pages = Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _processes() -> list[Row]:
    if not LINUX:
        return []
    rows = (_row(path) for path in Path("/proc").iterdir() if path.name.isdigit())
    return [row for row in rows if row is not None]


def _row(folder: Path) -> Row | None:
    try:
        text = (folder / "stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name in parentheses; it may hold anything.
    state, parent, group = text[text.rindex(b")") + 2 :].split(maxsplit=3)[:3]
    return Row(int(folder.name), state.decode("ascii"), int(parent), int(group))
