"""The standard descriptors: input, output, errors; somebody may have closed them."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

INPUT, OUTPUT, ERRORS = 0, 1, 2


def fill() -> None:
    """Open those that are closed as /dev/null.

    Otherwise the next pipe would become "the output", and be written to.
    """
    for descriptor in (INPUT, OUTPUT, ERRORS):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest that is free: the lower ones are open by now.
            os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)


def is_written_to(path: Path) -> bool:
    """Return whether a file is where our output or our errors go."""
    with contextlib.suppress(OSError):
        status = path.stat()
        ours = map(os.fstat, (OUTPUT, ERRORS))
        return any(os.path.samestat(status, one) for one in ours)
    return False
