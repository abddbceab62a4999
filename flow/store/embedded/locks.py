"""Locks on files, by flock: the kernel knows who holds one, and ends it with him.

A lock belongs to the open file, not to a process: it lives until the last descriptor
of that opening is closed, in whichever process that is. Hence closing, never
LOCK_UN, which would take the lock from forked children too.
"""

from __future__ import annotations

import fcntl
import os
from enum import IntEnum
from typing import TYPE_CHECKING

from flow.store.embedded.descriptors import lift

if TYPE_CHECKING:
    from pathlib import Path


class Kind(IntEnum):
    """How a lock is held: by many at a time, or by one alone."""

    SHARED = fcntl.LOCK_SH
    EXCLUSIVE = fcntl.LOCK_EX


def take(path: Path, kind: Kind) -> int | None:
    """Return a descriptor that holds the lock, or None when others are in the way."""
    descriptor = lift(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def is_held(path: Path) -> bool:
    """Return whether somebody holds the lock exclusively."""
    # Shared, so that two who look at once do not see one another.
    return _try_shared(path, fcntl.LOCK_NB) is False


def wait_free(path: Path) -> None:
    """Return when nobody holds the lock exclusively."""
    _try_shared(path, 0)


def _try_shared(path: Path, flags: int) -> bool | None:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | flags)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
