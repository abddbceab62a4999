"""Reads .env files: python-dotenv parses, flow names the line that is wrong.

The rules are those of docs/env.md: quotes, ``export``, multi-line double quotes
and inline `` # comments`` as a shell has them, no expansion inside single quotes.
A message never holds a value: .env files are where secrets are kept.
"""

from __future__ import annotations

import os
import re
from io import StringIO
from typing import TYPE_CHECKING, NamedTuple

from dotenv.parser import Binding, parse_stream

from flow.errors import EnvFileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SINGLE_QUOTED = re.compile(r"\s*(?:export\s+)?[^=]+=\s*'")
ESCAPED = re.compile(r"(?<!\\)(?:\\\\)*\\\$\{")
# The whole of ${NAME} or ${NAME:-default}; or, without a name, a ${ that is neither.
REFERENCE = re.compile(
    rf"\$\{{(?:(?P<name>{NAME.pattern})(?::-(?P<default>[^}}]*))?}})?"
)


class Setting(NamedTuple):
    """One value of a .env file.

    Args:
        value: the text, as a process gets it.
        where: the file and the line it is from, such as ``.env:3``.
    """

    value: str
    where: str


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
    """Return what the files say, as ``read`` does, with file and line of each value.

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
        if text is not None:
            found.update(
                examine(text, str(path), above=above, below=below, errors=errors)
            )
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
        EnvFileError: a line cannot be read; the message names file and line.
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
    """Return the settings of one .env text, each with its line.

    Args:
        text: as in ``parse``.
        source: as in ``parse``.
        above: as in ``parse``.
        below: as in ``parse``.
        errors: gets what is wrong, so that all of it is found; else it is raised.

    Raises:
        EnvFileError: a line cannot be read; the message names file and line.
    """
    found: dict[str, Setting] = {}
    values: dict[str, str] = {}
    clean = text.removeprefix("\ufeff").replace("\r\n", "\n")
    for binding in parse_stream(StringIO(clean, newline="")):
        where = f"{source}:{_line(binding)}"
        try:
            value = _value(binding, (above or {}, values, below or {}), where)
        except EnvFileError as error:
            _report(error, errors)
            continue
        if binding.key is not None and value is not None:
            values[binding.key] = value
            found[binding.key] = Setting(value, where)
    return found


def _report(error: EnvFileError, errors: list[EnvFileError] | None) -> None:
    if errors is None:
        raise error
    errors.append(error)


def _value(
    binding: Binding, known: Iterable[Mapping[str, str]], where: str
) -> str | None:
    if binding.error:
        raise EnvFileError(
            f"{where}: not NAME=value: a quote is left open, or text follows one"
        )
    if binding.key is None:
        return None  # a blank line or a comment
    value = _checked(binding, where)
    if SINGLE_QUOTED.match(binding.original.string):
        return value
    _refuse_escape(binding, where)
    return _expanded(value, known, where)


def _text(path: Path, *, required: bool) -> str | None:
    try:
        return path.read_bytes().decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        if required:
            raise EnvFileError(f"{path}: there is no such file") from None
        return None
    except OSError as error:
        raise EnvFileError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise EnvFileError(f"{path}: byte {error.start} is not UTF-8") from error


def _line(binding: Binding) -> int:
    blank = re.match(r"\s*", binding.original.string)
    return binding.original.line + (blank.group().count("\n") if blank else 0)


def _checked(binding: Binding, where: str) -> str:
    # Neither the value nor the name is shown: a line that went wrong may be the
    # middle of a private key.
    value = binding.value
    if value is None:
        raise EnvFileError(f"{where}: there is no '='; write NAME=value")
    if not NAME.fullmatch(binding.key or ""):
        raise EnvFileError(
            f"{where}: a name has only letters, digits and '_', and no digit first"
        )
    if "\0" in value:
        raise EnvFileError(f"{where}: the value holds a NUL character")
    return value


def _refuse_escape(binding: Binding, where: str) -> None:
    # A shell would keep the ${ literally; python-dotenv has lost the difference.
    if ESCAPED.search(binding.original.string):
        raise EnvFileError(f"{where}: put a value with a literal ${{ in single quotes")


def _expanded(value: str, known: Iterable[Mapping[str, str]], where: str) -> str:
    scopes = tuple(known)

    def look_up(reference: re.Match[str]) -> str:
        name, default = reference["name"], reference["default"] or ""
        if name is None or "${" in default:
            raise EnvFileError(
                f"{where}: only ${{NAME}} and ${{NAME:-default}} are expanded;"
                " put a value with another ${ in single quotes"
            )
        found = next((scope[name] for scope in scopes if name in scope), "")
        return found or default

    return REFERENCE.sub(look_up, value)
