"""Reads a Procfile: one ``name: command`` a line, and nothing is guessed.

The rules, each with its reason, are in docs/procfile.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from flow import textfile
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
        column: where the command begins on it, from 1.
    """

    name: str
    command: str
    line: int
    column: int


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


class Mistake(NamedTuple):
    """What is wrong with a Procfile, and where.

    Args:
        line: from 1; 0 means the whole file.
        column: from 1.
        text: what is wrong, in words.
    """

    line: int
    column: int
    text: str

    def said(self, source: str) -> str:
        """Return it with its place, as compilers write it."""
        if not self.line:
            return f"{source} {self.text}"
        return f"{source}:{self.line}:{self.column}: {self.text}"


def read(path: Path) -> Procfile:
    """Return what the Procfile at ``path`` declares.

    Raises:
        ProcfileError: it is missing or cannot be read, or a line of it is wrong.
    """
    return parse(content(path), str(path))


def content(path: Path) -> str:
    """Return the text of the Procfile at ``path``.

    Raises:
        ProcfileError: it is missing or cannot be read.
    """
    try:
        return textfile.read(path, ProcfileError)
    except FileNotFoundError:
        raise ProcfileError(
            f"there is no {path.name} in {path.parent}; flow init proposes one, or"
            " write a line for each process, such as web: python app.py"
        ) from None


def parse(text: str, source: str) -> Procfile:
    """Return what the text of a Procfile declares.

    Args:
        text: its content; CRLF and a byte order mark are accepted.
        source: what to call the file in a message.

    Raises:
        ProcfileError: a line is wrong; the message names file, line and column.
    """
    procfile, mistakes = examine(text, source)
    if mistakes:
        raise ProcfileError(mistakes[0].said(source))
    return procfile


def examine(text: str, source: str) -> tuple[Procfile, list[Mistake]]:
    """Return what can be read of a Procfile, and all that is wrong with it.

    Args:
        text: its content.
        source: what to call the file.
    """
    entries: dict[str, Entry] = {}
    mistakes: list[Mistake] = []
    clean = text.removeprefix("\ufeff").replace("\r\n", "\n")
    for number, line in enumerate(clean.split("\n"), start=1):
        if IGNORED.fullmatch(line):
            continue
        entry = _entry(line, number)
        if isinstance(entry, Mistake):
            mistakes.append(entry)
        elif twin := entries.get(entry.name):
            said = f"{entry.name} is already on line {twin.line}"
            mistakes.append(Mistake(number, 1, said))
        else:
            entries[entry.name] = entry
    procfile = Procfile(source, tuple(entries.values()))
    if not procfile.types and not mistakes:
        mistakes.append(Mistake(0, 0, "declares no process"))
    return procfile, mistakes


def _entry(line: str, number: int) -> Entry | Mistake:
    match = NAME.match(line)
    name = match.group() if match else ""
    if not name or line[len(name) : len(name) + 1] != ":":
        said = "not 'name: command'; a name starts the line and has letters, digits,"
        return Mistake(number, len(name) + 1, f"{said} '_' and '-'")
    command = line[len(name) + 1 :].lstrip()
    if not command:
        return Mistake(number, len(name) + 2, f"{name} has no command")
    if wrong := UNUSABLE.search(line):
        return Mistake(number, wrong.start() + 1, f"{wrong.group()!r} in a command")
    return Entry(name, command, number, len(line) - len(command) + 1)
