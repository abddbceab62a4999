"""Reads a Procfile: one ``name: command`` a line, and nothing is guessed.

The rules, each with its reason, are in docs/procfile.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flow.errors import ProcfileError

if TYPE_CHECKING:
    from pathlib import Path

RELEASE = "release"
NAME = re.compile(r"[A-Za-z0-9_-]*")
IGNORED = re.compile(r"\s*(#.*)?")
UNUSABLE = re.compile(r"[\0\r]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a Procfile.

    Args:
        name: the process type.
        command: what a shell is given, unchanged.
        line: the line's number, from 1.
    """

    name: str
    command: str
    line: int


@dataclass(frozen=True, slots=True)
class Procfile:
    """The entries of a Procfile, in its order.

    Args:
        source: what the file is called in a message.
        entries: the lines that declare something.
    """

    source: str
    entries: tuple[Entry, ...]

    @property
    def types(self) -> tuple[Entry, ...]:
        """The process types: every entry but ``release``, which is never a process."""
        return tuple(entry for entry in self.entries if entry.name != RELEASE)

    def find(self, name: str) -> Entry | None:
        """Return the entry of that name, or None."""
        return next((entry for entry in self.entries if entry.name == name), None)

    def require(self, name: str) -> Entry:
        """Return the process type of that name.

        Raises:
            ProcfileError: there is none, or it is ``release``.
        """
        if name == RELEASE:
            raise ProcfileError(
                "release is no process: it runs once, before the others"
            )
        if entry := self.find(name):
            return entry
        known = ", ".join(entry.name for entry in self.types)
        raise ProcfileError(f"{self.source} has no process {name!r}; it has: {known}")


def read(path: Path) -> Procfile:
    """Return what the Procfile at ``path`` declares.

    Raises:
        ProcfileError: it is missing or cannot be read, or a line of it is wrong.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise ProcfileError(
            f"there is no {path.name} in {path.parent};"
            " make one with a line for each process, such as web: python app.py"
        ) from None
    except OSError as error:
        raise ProcfileError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ProcfileError(f"{path}: byte {error.start} is not UTF-8") from error
    return parse(text, str(path))


def parse(text: str, source: str) -> Procfile:
    """Return what the text of a Procfile declares.

    Args:
        text: its content; CRLF and a byte order mark are accepted.
        source: what to call the file in a message.

    Raises:
        ProcfileError: a line is wrong; the message names file, line and column.
    """
    entries: dict[str, Entry] = {}
    clean = text.removeprefix("\ufeff").replace("\r\n", "\n")
    for number, line in enumerate(clean.split("\n"), start=1):
        if IGNORED.fullmatch(line):
            continue
        entry = _entry(line, number, source)
        if twin := entries.get(entry.name):
            raise ProcfileError(
                f"{source}:{number}:1: {entry.name} is already on line {twin.line}"
            )
        entries[entry.name] = entry
    procfile = Procfile(source, tuple(entries.values()))
    if not procfile.types:
        raise ProcfileError(f"{source} declares no process")
    return procfile


def _entry(line: str, number: int, source: str) -> Entry:
    match = NAME.match(line)
    name = match.group() if match else ""
    if not name or line[len(name) : len(name) + 1] != ":":
        raise ProcfileError(
            f"{source}:{number}:{len(name) + 1}: not 'name: command';"
            " a name starts the line and has letters, digits, '_' and '-'"
        )
    command = line[len(name) + 1 :].lstrip()
    if not command:
        raise ProcfileError(f"{source}:{number}:{len(name) + 2}: {name} has no command")
    if wrong := UNUSABLE.search(line):
        raise ProcfileError(
            f"{source}:{number}:{wrong.start() + 1}: {wrong.group()!r} in a command"
        )
    return Entry(name, command, number)
