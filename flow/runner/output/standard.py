"""The standard descriptors: input, output, errors; somebody may have closed them."""

from __future__ import annotations

import os

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
