"""What is declared for a process type beside its line in the Procfile."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, cast

from flow.errors import ConfigError
from flow.runner.declared import handover

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BOOT = 60.0  # seconds; Heroku's limit, after which it says R10
ALL = ("**",)  # files
SIZE = re.compile(r"([1-9][0-9]{0,6}) ?([MG])B?")


@dataclass(frozen=True, slots=True)
class Kind:
    """The settings of a process type: ``[tool.flow.processes.web]``.

    Args:
        short_lived: it may end; with code 0 that is no failure, and it stays ended.
        pty: it runs in a terminal of its own.
        ready: when it is up: ``port``, ``http:/path``, ``command:...`` or
            ``log:pattern``; empty means as soon as it runs.
        boot: seconds it has to become ready.
        after: types that must be up before it starts.
        watch: the files whose changes restart it, with ``flow start --watch``.
        memory: bytes it may use; 0 means as many as there are.
        handover: how it goes over to the next release; empty: as is usual for it.
        cycle: hours after which it is started anew; 0 means never.
    """

    short_lived: bool = False
    pty: bool = False
    ready: str = ""
    boot: float = BOOT
    after: tuple[str, ...] = ()
    watch: tuple[str, ...] = ALL
    memory: int = 0
    cycle: float = 0.0
    handover: str = ""


WAYS = ("port", "http", "command", "log")


def kinds(
    settings: Mapping[str, Any], known: Iterable[str], terminals: Iterable[str]
) -> dict[str, Kind]:
    """Return what is declared for each type of a Procfile.

    Args:
        settings: the table of each type.
        known: the types of the Procfile.
        terminals: types that get a terminal in any case.

    Raises:
        ConfigError: a type is unknown, or a setting of one is.
    """
    types = list(known)
    found = {name: Kind() for name in types}
    for name, table in settings.items():
        _require(name, types, "[tool.flow.processes]")
        found[name] = _kind(name, table, types)
    for name in terminals:
        _require(name, types, "--pty")
        found[name] = replace(found[name], pty=True)
    _refuse_circles(found)
    return found


def _require(name: str, types: list[str], where: str) -> None:
    if name not in types:
        raise ConfigError(
            f"{where} names {name}, which the Procfile has not; it has:"
            f" {', '.join(types)}"
        )


def _kind(name: str, table: object, types: list[str]) -> Kind:
    where = f"[tool.flow.processes.{name}]"
    if not isinstance(table, dict):
        raise ConfigError(f"{where} is not a table")
    values = cast("dict[str, object]", table)
    known = [field.name for field in fields(Kind)]
    for key in values:
        if key not in known:
            raise ConfigError(
                f"{where} has no setting {key!r}; known: {', '.join(known)}"
            )
    ready = _ready(values.get("ready", ""), where)
    kind = Kind(
        short_lived=_boolean(values, "short_lived", where),
        pty=_boolean(values, "pty", where),
        ready=ready,
        boot=_positive(values.get("boot", BOOT), f"{where} boot", "seconds"),
        after=_texts(values, "after", where),
        watch=_watch(values, where),
        memory=_bytes(values["memory"], where) if "memory" in values else 0,
        cycle=_positive(values["cycle"], f"{where} cycle", "hours")
        if "cycle" in values
        else 0.0,
        handover=handover.checked(values["handover"], ready, where)
        if "handover" in values
        else "",
    )
    for other in kind.after:
        _require(other, types, f"{where} after")
    return kind


def _boolean(values: Mapping[str, object], key: str, where: str) -> bool:
    value = values.get(key, False)
    if not isinstance(value, bool):
        raise ConfigError(f"{where} {key} must be true or false, not {value!r}")
    return value


def _positive(value: object, where: str, unit: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise ConfigError(f"{where} must be a number of {unit}, not {value!r}")
    return float(value)


def _bytes(value: object, where: str) -> int:
    match = SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ConfigError(
            f"{where} memory must be a size such as 512MB or 1GB, not {value!r}"
        )
    return int(match[1]) << (20 if match[2] == "M" else 30)


def _texts(values: Mapping[str, object], key: str, where: str) -> tuple[str, ...]:
    value = values.get(key, ())
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list | tuple):
        raise ConfigError(f"{where} {key} must be a list of texts, not {value!r}")
    texts = cast("list[object]", items)
    if not all(isinstance(text, str) and text for text in texts):
        raise ConfigError(f"{where} {key} must be a list of texts, not {value!r}")
    return tuple(str(text) for text in texts)


def _watch(values: Mapping[str, object], where: str) -> tuple[str, ...]:
    value = values.get("watch", True)
    if isinstance(value, bool):
        return ALL if value else ()
    return _texts(values, "watch", where)


def _ready(value: object, where: str) -> str:
    text = value if isinstance(value, str) else repr(value)
    way, _, rest = text.partition(":")
    if text and (way not in WAYS or bool(rest) == (way == "port")):
        raise ConfigError(
            f"{where} ready is {text}; it must be port, http:/path, command:... or"
            " log:pattern"
        )
    if way == "log":
        try:
            re.compile(rest)
        except re.error as error:
            raise ConfigError(f"{where} ready: {rest!r}: {error}") from error
    return text


def _refuse_circles(found: Mapping[str, Kind]) -> None:
    for name in found:
        seen, waiting = set[str](), list(found[name].after)
        while waiting:
            other = waiting.pop()
            if other == name:
                raise ConfigError(
                    f"[tool.flow.processes.{name}] after: it would wait for itself"
                )
            if other not in seen:
                seen.add(other)
                waiting += found[other].after
