"""Out of memory: what the kernel tells of the processes that it killed for it.

It sends SIGKILL like anybody else, but it counts: in the container's cgroup, or for
the whole host. A count that rose since the last look is evidence.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Killer:
    """The kernel's out-of-memory killer.

    Args:
        root: where /proc and /sys are.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        """Count from now on."""
        self._places = list(_places(root))
        self._seen = {place: _count(place) for place in self._places}

    def says(self) -> str:
        """Return in words whether it killed once more since the last look.

        Each kill is told once: it explains one death.
        """
        place = next((one for one in self._places if _counts(one)), None)
        if place is None:
            return "out of memory? the kernel does not tell"
        before = self._seen.get(place, 0)
        if _count(place) <= before:
            return "not by the kernel for want of memory"
        self._seen[place] = before + 1
        if place.name == "vmstat":
            return "out of memory, it seems: the kernel has just killed for it here"
        return "out of memory: the kernel killed for the limit of the container"


def _places(root: Path) -> Iterator[Path]:
    """Give the files that count, the nearest to this process first."""
    groups = root / "sys/fs/cgroup"
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        inner = path.lstrip("/")
        if not controllers:
            yield groups / inner / "memory.events"
            yield groups / "memory.events"  # as a container with a view of its own
        elif "memory" in controllers.split(","):
            yield groups / "memory" / inner / "memory.oom_control"
            yield groups / "memory/memory.oom_control"
    yield root / "proc/vmstat"


def _counts(place: Path) -> bool:
    return "oom_kill " in _text(place)


def _count(place: Path) -> int:
    for line in _text(place).splitlines():
        name, _, number = line.partition(" ")
        if name == "oom_kill":
            return int(number)
    return 0


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
