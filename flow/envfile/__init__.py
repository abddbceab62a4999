"""Reads .env files: python-dotenv parses, flow names what is wrong, and where.

The rules are those of docs/env.md: quotes, ``export``, multi-line double quotes
and inline `` # comments`` as a shell has them, no expansion inside single quotes.
A message never holds a value: .env files are where secrets are kept.
"""

from __future__ import annotations

import os
from io import StringIO
from typing import TYPE_CHECKING, NamedTuple

from dotenv.parser import parse_stream

from flow import textfile
from flow.envfile import entry
from flow.errors import EnvFileError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Setting(NamedTuple):
    """One value of a .env file.

    Args:
        value: the text, as a process gets it.
        where: the file and the line it is from, such as ``.env:3``.
        column: where its name begins on that line, from 1.
    """

    value: str
    where: str
    column: int


def files(root: Path) -> tuple[Path, ...]:
    """Return the .env files of a project, later ones winning; they need not exist."""
    return (root / ".env", root / ".env.local")


def read(
    *paths: Path,
    required: bool = False,
    environ: Mapping[str, str] | None = None,
    override: bool = False,
) -> dict[str, str]:
    """Return what the files say, a later file winning over an earlier one.

    Args:
        paths: the files, in this order; one that is missing is skipped.
        required: a missing file is an error, because somebody asked for it.
        environ: what ``${NAME}`` is looked up in, besides the files; this process's
            own environment where none is given.
        override: the files win over ``environ`` in such a look-up.

    Raises:
        EnvFileError: a file cannot be read, or a line of it is wrong.
    """
    real = os.environ if environ is None else environ
    found = settings(*paths, required=required, environ=real, override=override)
    return {name: setting.value for name, setting in found.items()}


def settings(
    *paths: Path,
    environ: Mapping[str, str],
    required: bool = False,
    override: bool = False,
    errors: list[EnvFileError] | None = None,
) -> dict[str, Setting]:
    """Return what the files say, as ``read`` does, with the place of each value.

    Args:
        paths: the files, as in ``read``.
        environ: as in ``read``.
        required: as in ``read``.
        override: as in ``read``.
        errors: gets what is wrong, so that all of it is found; else it is raised.

    Raises:
        EnvFileError: a file cannot be read, or a line of it is wrong.
    """
    found: dict[str, Setting] = {}
    for path in paths:
        values = {name: setting.value for name, setting in found.items()}
        above = None if override else environ
        below = {**environ, **values} if override else values
        try:
            text = _text(path, required=required)
        except EnvFileError as error:
            _report(error, errors)
            continue
        found.update(examine(text, str(path), above=above, below=below, errors=errors))
    return found


def parse(
    text: str,
    source: str,
    *,
    above: Mapping[str, str] | None = None,
    below: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the names and values of one .env text, in its order.

    Args:
        text: the file's content; CRLF and a byte order mark are accepted.
        source: what to call the file in a message.
        above: values that win over the file's own when ``${NAME}`` is looked up.
        below: values that such a look-up finds last.

    Raises:
        EnvFileError: a line cannot be read; the message has its line and column.
    """
    found = examine(text, source, above=above, below=below)
    return {name: setting.value for name, setting in found.items()}


def examine(
    text: str,
    source: str,
    *,
    above: Mapping[str, str] | None = None,
    below: Mapping[str, str] | None = None,
    errors: list[EnvFileError] | None = None,
) -> dict[str, Setting]:
    """Return the settings of one .env text, each with its place.

    Args:
        text: as in ``parse``.
        source: as in ``parse``.
        above: as in ``parse``.
        below: as in ``parse``.
        errors: gets what is wrong, so that all of it is found; else it is raised.

    Raises:
        EnvFileError: a line cannot be read; the message has its line and column.
    """
    found: dict[str, Setting] = {}
    values: dict[str, str] = {}
    scopes = (above or {}, values, below or {})
    clean = text.removeprefix("\ufeff").replace("\r\n", "\n")
    for binding in parse_stream(StringIO(clean, newline="")):
        if fault := entry.fault(binding):
            line, column = entry.place(binding, fault.offset)
            said = f"{source}:{line}:{column}: {fault.text}"
            _report(EnvFileError(said), errors)
        elif binding.key is not None:
            values[binding.key] = entry.value(binding, scopes)
            line, column = entry.place(binding, entry.begin(binding))
            where = f"{source}:{line}"
            found[binding.key] = Setting(values[binding.key], where, column)
    return found


def _report(error: EnvFileError, errors: list[EnvFileError] | None) -> None:
    if errors is None:
        raise error
    errors.append(error)


def _text(path: Path, *, required: bool) -> str:
    try:
        return textfile.read(path, EnvFileError)
    except FileNotFoundError:
        if required:
            raise EnvFileError(f"{path}: there is no such file") from None
        return ""
