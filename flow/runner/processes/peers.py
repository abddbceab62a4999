"""Which process answers on a port that several share (Linux)."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from flow.runner.processes import descendants

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLES = ("tcp", "tcp6")
LISTENING = "0A"
NONE = "0"  # the inode of a connection that nobody has accepted yet


class Row(NamedTuple):
    """One socket of this machine, as /proc/net shows it."""

    port: int
    peer: int
    state: str
    inode: str


def accepted(port: int, peer: int) -> str:
    """Return the inode of a connection's other end, or ``""`` before it is accepted.

    Args:
        port: where the connection leads to.
        peer: the port that it comes from.
    """
    found = (row.inode for row in _rows() if (row.port, row.peer) == (port, peer))
    inode = next(found, NONE)
    return "" if inode == NONE else inode


def listens(root: int, port: int) -> bool:
    """Return whether a process, or one that it has started, listens on a port."""
    listening = {
        row.inode for row in _rows() if row.port == port and row.state == LISTENING
    }
    return any(inode in listening for inode in _held(root))


def holds(root: int, inode: str) -> bool:
    """Return whether a process, or one that it has started, holds a socket."""
    return inode in _held(root)


def _held(root: int) -> Iterator[str]:
    for pid in (root, *(row.pid for row in descendants.descendants(root))):
        with contextlib.suppress(OSError):  # it has just ended
            for link in Path(f"/proc/{pid}/fd").iterdir():
                with contextlib.suppress(OSError):
                    kind, _, inode = str(link.readlink()).partition(":[")
                    if kind == "socket":
                        yield inode.removesuffix("]")


def _rows() -> Iterator[Row]:
    for table in TABLES:
        with contextlib.suppress(OSError):
            for line in Path("/proc/net", table).read_text("ascii").splitlines()[1:]:
                fields = line.split()
                yield Row(_port(fields[1]), _port(fields[2]), fields[3], fields[9])


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)
