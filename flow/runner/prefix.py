"""What stands before a line: ``web.1    | ``, aligned, in colour, with the time."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

# ANSI colours, in the order in which processes get them; red is for failures.
COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
OWN = "flow"  # the name on flow's own lines


@dataclass(frozen=True, slots=True)
class Style:
    """How lines are shown.

    Args:
        names: a name before each line.
        times: the time of day before it.
        colours: the name in a colour of its own.
    """

    names: bool = True
    times: bool = False
    colours: bool = False


def wants_colours(descriptor: int, environ: Mapping[str, str]) -> bool:
    """Return whether to colour: NO_COLOR, then FORCE_COLOR, then is it a terminal.

    The same order as Python's own (docs.python.org, "Controlling color").
    """
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return environ["FORCE_COLOR"] != "0"
    try:
        return os.isatty(descriptor) and environ.get("TERM") != "dumb"
    except OSError:
        return False


def prefixes(
    names: Iterable[str], style: Style, now: Callable[[], datetime]
) -> dict[str, Callable[[], bytes]]:
    """Return for each name, and for flow itself, what to put before its lines.

    Args:
        names: the processes.
        style: how lines are shown.
        now: the time, in the time zone to show it in.
    """
    known = [OWN, *names]
    width = max(map(len, known))
    types = dict.fromkeys(name.partition(".")[0] for name in known[1:])
    colours = dict(zip(types, cycle(COLOURS), strict=False))

    def prefix(name: str) -> Callable[[], bytes]:
        label = f"{name:{width}} | " if style.names else ""
        if style.colours and label and (colour := colours.get(name.partition(".")[0])):
            label = f"\x1b[{colour}m{label}\x1b[0m"
        fixed = label.encode()
        if not style.times:
            return lambda: fixed
        return lambda: now().strftime("%H:%M:%S ").encode() + fixed

    return {name: prefix(name) for name in known}
