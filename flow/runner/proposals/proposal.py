"""What is proposed for a folder, and the text that it is read from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

Proposal = dict[str, str]  # the command of each process type


def text_of(path: Path) -> str:
    """Return a file's text, as far as it is any; empty where there is none."""
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""
