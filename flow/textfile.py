"""Reads a text file that a person writes; what is no UTF-8 is told with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from flow.errors import ConfigError


def read(path: Path, unreadable: type[ConfigError]) -> str:
    """Return the text of a file.

    Args:
        path: the file.
        unreadable: the error for a file that cannot be read.

    Raises:
        FileNotFoundError: there is none, or its folder is none.
        ConfigError: of the type ``unreadable``, with the file's name.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileNotFoundError(str(path)) from error
    except OSError as error:
        raise unreadable(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8")
        line, column = place(before, len(before))
        raise unreadable(f"{path}:{line}:{column}: this byte is not UTF-8") from error


def place(text: str, offset: int) -> tuple[int, int]:
    """Return the line and the column of an offset, both from 1."""
    before = text[:offset]
    return before.count("\n") + 1, offset - before.rfind("\n")
