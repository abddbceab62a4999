"""Config vars as text: what is exported, edited and imported again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from flow import envfile
from flow.errors import ConfigError, EnvFileError
from flow.runner.releases import configvars

if TYPE_CHECKING:
    from collections.abc import Mapping

# A quote that seems escaped would take what follows it for a part of the value.
FOLLOWED = "\nA='b'\nC=\"d\"\n"
DOUBLE = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def as_env(config: Mapping[str, str]) -> str:
    """Return config vars as a .env file from which they are read again.

    Raises:
        ConfigError: .env files have no way to write one of the values.
    """
    return "".join(
        f"{name}={_quoted(name, value)}\n" for name, value in sorted(config.items())
    )


def as_json(config: Mapping[str, str]) -> str:
    """Return config vars as a JSON object."""
    return json.dumps(dict(sorted(config.items())), indent=2, ensure_ascii=False) + "\n"


def read(text: str, source: str, known: Mapping[str, str]) -> dict[str, str]:
    """Return the config vars of a text: a JSON object, or the lines of a .env file.

    Args:
        text: what was exported, or written by hand.
        source: what to call it in a message.
        known: what ``${NAME}`` stands for in a .env file.

    Raises:
        ConfigError: it cannot be read, or holds what cannot be.
    """
    clean = text.removeprefix("\ufeff")
    found = _json(clean, source) if clean.lstrip().startswith("{") else None
    if found is None:
        found = envfile.parse(clean, source, above=known)
    for number, (name, value) in enumerate(found.items(), 1):
        configvars.check(name, value, f"{source}: entry {number}")
    return found


def _json(text: str, source: str) -> dict[str, str]:
    try:
        found: object = json.loads(text)
    except RecursionError:
        raise ConfigError(f"{source}: entry 1: its value is no text") from None
    except ValueError as error:
        # The error itself would show what it could not read.
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 0
        raise ConfigError(f"{source}:{line}: this is no JSON object") from None
    table = cast("dict[str, object]", found)
    for number, value in enumerate(table.values(), 1):
        if not isinstance(value, str):
            raise ConfigError(f"{source}: entry {number}: its value is no text")
    return cast("dict[str, str]", table)


def _quoted(name: str, value: str) -> str:
    single = value.replace("\\", "\\\\").replace("'", "\\'")
    double = "".join(DOUBLE.get(letter, letter) for letter in value)
    for text in (value, f"'{single}'", f'"{double}"'):
        if _is_read_as(text, value):
            return text
    raise ConfigError(
        f"{name} has a value for which .env files have no form; export it as JSON"
    )


def _is_read_as(text: str, value: str) -> bool:
    # Not to be guessed: it is what the parser makes of it that counts.
    try:
        found = envfile.parse(f"X={text}{FOLLOWED}", "X")
    except EnvFileError:
        return False
    return found == {"X": value, "A": "b", "C": "d"}
