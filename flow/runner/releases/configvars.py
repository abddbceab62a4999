"""Config vars: what they may be called, how large they may be, and their changes.

The rules are Heroku's; docs/config-vars.md has them. A value is in no message, and
neither is a name that breaks the rules: it may be a secret that was mistyped.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flow.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flow.runner.releases.release import Release
    from flow.runner.releases.store import ReleaseStore

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
RESERVED = ("__", "HEROKU_")  # how no name may begin
MOST = 64 << 10  # bytes of all names and values together
SHOWN = 10  # names in a description; an import may have hundreds


def assignments(words: Sequence[str]) -> dict[str, str]:
    """Return the config vars that ``A=1 B=2`` sets.

    Raises:
        ConfigError: one of them is not of that form, or cannot be.
    """
    found: dict[str, str] = {}
    for number, word in enumerate(words, 1):
        name, equals, value = word.partition("=")
        if not equals:
            raise ConfigError(
                f"argument {number} is not of the form NAME=value; to keep a value out"
                " of the shell's history: flow config import - or flow config edit"
            )
        check(name, value, f"argument {number}")
        found[name] = value
    return found


def check(name: str, value: str, where: str) -> None:
    """Refuse a name or a value that cannot be.

    Args:
        name: of letters, digits and ``_``.
        value: any text but one with a NUL.
        where: what to call it while its name is not known to be one.

    Raises:
        ConfigError: it cannot be; the message holds no value.
    """
    if not NAME.fullmatch(name):
        raise ConfigError(
            f"{where}: the name of a config var has only letters, digits and '_', and"
            " no digit first"
        )
    for start in RESERVED:
        if name.startswith(start):
            raise ConfigError(
                f"{name}: the name of a config var does not begin with {start}"
            )
    if "\0" in value:
        raise ConfigError(f"{name}: its value holds a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ConfigError(f"{name}: its value is no UTF-8") from None


def size(config: Mapping[str, str]) -> int:
    """Return how large config vars are: the bytes of names and values together."""
    return sum(len(name) + len(value.encode()) for name, value in config.items())


def change(
    store: ReleaseStore, changes: Mapping[str, str | None], what: str = ""
) -> Release | None:
    """Make a release with changed config vars, and return it.

    Others who change them at the same time wait: no change is lost.

    Args:
        store: the project's releases.
        changes: the values that were checked; None unsets one.
        what: what the release does, if it is not only to set and remove.

    Returns:
        the release, or None if everything is so already.

    Raises:
        ConfigError: they would be too large together.
        ReleaseError: it cannot be kept.
    """
    with store.turn():
        current = store.current()
        before = dict(current.config) if current else {}
        after = changed(before, changes)
        if after == before:
            return None
        check_size(after)
        release = store.begin(
            what=what or description(before, after),
            commit=current.commit if current else None,
            tree=current.tree if current else None,
            config=after,
        )
        return store.succeed(release)


def changed(
    config: Mapping[str, str], changes: Mapping[str, str | None]
) -> dict[str, str]:
    """Return the config vars as they are after some changes."""
    both = {**config, **changes}
    return {name: value for name, value in both.items() if value is not None}


def check_size(config: Mapping[str, str]) -> None:
    """Refuse config vars that are too large together.

    Raises:
        ConfigError: they are; the message names the largest.
    """
    if (used := size(config)) > MOST:
        large = sorted(config, key=lambda name: -len(config[name].encode()))[:3]
        told = ", ".join(f"{name} ({len(config[name].encode()):,})" for name in large)
        raise ConfigError(
            f"the config vars would have {used:,} bytes, names and values together; at"
            f" most {MOST:,} are kept. The largest: {told}"
        )


def description(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Return what a change does, in Heroku's words and without values."""
    new = [name for name in after if before.get(name) != after[name]]
    gone = [name for name in before if name not in after]
    parts = [
        f"{verb} {listed(names)}"
        for verb, names in (("Set", new), ("Remove", gone))
        if names
    ]
    return f"{'; '.join(parts)} config vars"


def listed(names: Iterable[str]) -> str:
    """Return names as a description has them: not too many."""
    every = list(names)
    shown = ", ".join(every[:SHOWN])
    return shown if len(every) <= SHOWN else f"{shown} and {len(every) - SHOWN} more"
