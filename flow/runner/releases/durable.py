"""Files that are there whole or not at all, whatever is killed, and however full."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

BESIDE = ".new"  # what a file is called until it is whole


def write(path: Path, data: bytes) -> None:
    """Write a file that only its owner may read, in place of the one that is there.

    Raises:
        OSError: the disk is full, or the folder not writable; the old file stays.
    """
    beside = path.with_name(path.name + BESIDE)
    try:
        _write(beside, data)
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    keep(path.parent)


def rename(path: Path, name: str) -> None:
    """Give a file another name in its folder; that needs no space.

    Raises:
        OSError: the folder is not writable.
    """
    path.replace(path.with_name(name))
    keep(path.parent)


def keep(folder: Path) -> None:
    """Have the disk keep what was done in a folder, should the power fail now."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(path: Path, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o600)
    try:
        os.fchmod(descriptor, 0o600)  # a file that was left there may have another
        while data:
            data = data[os.write(descriptor, data) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
