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
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileNotFoundError(str(path)) from error
    except OSError as error:
        raise unreadable(f"{path}: {error.strerror}") from error
    return decoded(data, str(path), unreadable)


def decoded(data: bytes, source: str, unreadable: type[ConfigError]) -> str:
    """Return the text of bytes that are UTF-8.

    Args:
        data: the bytes.
        source: what to call them in a message.
        unreadable: the error for those that are none.

    Raises:
        ConfigError: of the type ``unreadable``, with the place of the first wrong one.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        line, column = place(before, len(before))
        said = f"{source}:{line}:{column}: this byte is not UTF-8"
        raise unreadable(said) from None  # the error itself holds all of the text


def place(text: str, offset: int) -> tuple[int, int]:
    """Return the line and the column of an offset, both from 1."""
    before = text[:offset]
    return before.count("\n") + 1, offset - before.rfind("\n")
