"""Unnamed files: what processes share by a descriptor, with no name to clean up."""

from __future__ import annotations

import contextlib
import os
import tempfile


def unnamed(size: int = 0) -> int:
    """Return the descriptor of a file without a name, in memory where there is such."""
    descriptor = _made()
    os.ftruncate(descriptor, size)
    return descriptor


def _made() -> int:
    if hasattr(os, "memfd_create"):  # Linux
        with contextlib.suppress(OSError):  # a sandbox may forbid it
            return os.memfd_create("flow")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
