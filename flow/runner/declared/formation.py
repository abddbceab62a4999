"""Which processes a session consists of, and the port of each.

The ports are Heroku's local rule: 100 apart per process type in the Procfile's
order, one apart per instance, and they do not move when only some types start.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flow.errors import ProcfileError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flow.runner.declared.procfile import Procfile

ALL = "all"
CLOCK = "clock"
COUNT = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=\s*([0-9]{1,4})\s*")
STEP = 100  # ports between two process types
HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Instance:
    """One process of a session.

    Args:
        type: its line in the Procfile.
        number: which of its type, from 1.
        command: what a shell is given.
        port: its PORT.
    """

    type: str
    number: int
    command: str
    port: int

    @property
    def name(self) -> str:
        """What it is called everywhere: ``web.1``."""
        return f"{self.type}.{self.number}"


def counts(text: str) -> dict[str, int]:
    """Return how many of each type ``web=2,worker=3`` asks for.

    Raises:
        ProcfileError: the text is not of that form.
    """
    found: dict[str, int] = {}
    for part in text.split(","):
        match = COUNT.fullmatch(part)
        if match is None:
            raise ProcfileError(f"formation {part!r} is not of the form web=2,worker=3")
        found[match[1]] = int(match[2])
    return found


def doubtful(counts: Mapping[str, int]) -> list[str]:
    """Return what to say of a formation that can be, but is hardly meant."""
    clocks = counts.get(CLOCK, 0)
    if clocks < 2:  # noqa: PLR2004 - one clock is the rule
        return []
    return [f"{clocks} clocks: safe, but only one at a time does something"]


def instances(
    procfile: Procfile, names: Sequence[str], wanted: Mapping[str, int], base: int
) -> tuple[Instance, ...]:
    """Return the processes to start, in the Procfile's order.

    Args:
        procfile: what can be started.
        names: the types to start; all of them where none is named.
        wanted: how many of a type, ``all`` standing for each one not named; else 1.
        base: the port of the first type.

    Raises:
        ProcfileError: a name is unknown, nothing is left, or a port is too high.
    """
    chosen = {procfile.require(name).name for name in names}
    chosen = chosen or {entry.name for entry in procfile.types}
    _check(procfile, chosen, wanted)
    found = tuple(
        Instance(entry.name, number + 1, entry.command, base + STEP * index + number)
        for index, entry in enumerate(procfile.types)
        if entry.name in chosen
        for number in range(wanted.get(entry.name, wanted.get(ALL, 1)))
    )
    if not found:
        raise ProcfileError("the formation leaves no process to start")
    if (highest := max(found, key=lambda one: one.port)).port > HIGHEST_PORT:
        raise ProcfileError(
            f"{highest.name} would get port {highest.port}; choose a lower one with -p"
        )
    return found


def _check(procfile: Procfile, chosen: set[str], wanted: Mapping[str, int]) -> None:
    for name in wanted:
        if name != ALL and procfile.require(name).name not in chosen:
            raise ProcfileError(
                f"the formation names {name}, which is not among the processes to"
                f" start: {', '.join(sorted(chosen))}"
            )
