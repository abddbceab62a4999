"""File descriptors that are safe to hand to another process."""

from __future__ import annotations

import fcntl
import os


def lift(descriptor: int) -> int:
    """Return the descriptor, moved away from stdin, stdout and stderr.

    A process that was started without those gets their numbers for the next files it
    opens, and would lose a lock in its child, where stdin is put in its place.
    """
    if descriptor > 2:  # noqa: PLR2004 - stderr
        return descriptor
    lifted = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
    os.close(descriptor)
    return lifted
