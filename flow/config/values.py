"""What a setting may be: names, numbers, amounts of memory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from flow.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence


NAME = re.compile(r"[A-Za-z0-9_.-]+")
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}  # as kernels and containers count


def names(value: object, where: str) -> tuple[str, ...]:
    """Return a list of names, given as a list or as one text with commas.

    Raises:
        ConfigError: something in it is no name.
    """
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list | tuple):
        raise ConfigError(f"{where} must be a text or a list of texts, not {value!r}")
    words = [word(item, where) for item in cast("list[object]", items)]
    return tuple(dict.fromkeys(words))


def word(value: object, where: str) -> str:
    """Return a name of letters, digits and ``_ - .``.

    Raises:
        ConfigError: it is none.
    """
    word = value.strip() if isinstance(value, str) else ""
    if not NAME.fullmatch(word):
        raise ConfigError(
            f"{where}: {value!r} is no name; use letters, digits, '_', '-' and '.'"
        )
    return word


def boolean(value: object, where: str) -> bool:
    """Return what is true or false.

    Raises:
        ConfigError: it is neither.
    """
    if not isinstance(value, bool):
        raise ConfigError(f"{where} must be true or false, not {value!r}")
    return value


def choice(value: object, where: str, choices: Sequence[str]) -> str:
    """Return one of the choices.

    Raises:
        ConfigError: it is none.
    """
    if value not in choices:
        raise ConfigError(f"{where} must be one of {', '.join(choices)}: {value!r}")
    return str(value)


def positive(text: str, name: str) -> float:
    """Return a finite number above 0.

    Raises:
        ConfigError: it is none.
    """
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ConfigError(f"{name} must be a number above 0, not {text!r}")
    return number


def whole(value: object, name: str, least: int = 1) -> int:
    """Return a whole number, ``least`` or more.

    Raises:
        ConfigError: it is none.
    """
    text = "" if isinstance(value, bool) else str(value)
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise ConfigError(
            f"{name} must be a whole number from {least} on, not {value!r}"
        )
    return int(text)


def memory(value: object, name: str) -> int:
    """Return the bytes that ``512MB`` and the like say; 0 is no limit.

    Raises:
        ConfigError: it is no amount of memory.
    """
    text = str(value).strip().upper().removesuffix("B")
    unit = UNITS.get(text[-1:], 0)
    number = text[:-1].strip() if unit else text
    if not re.fullmatch(r"\d{1,12}(\.\d+)?", number, re.ASCII) or not (
        unit or number == "0"
    ):
        raise ConfigError(f"{name} must be like 512MB or 1.5GB, not {value!r}")
    return int(float(number) * unit)
