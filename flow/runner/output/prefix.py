"""What stands before a line: ``web.1    | ``, aligned, in colour, with the time."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING

from flow.runner.output.jsonlines import JsonLines
from flow.runner.output.lines import Lines

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
        json: an object for each line instead of all that.
    """

    names: bool = True
    times: bool = False
    colours: bool = False
    json: bool = False


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


class Prefixes:
    """Gives each name its place before the lines, and its colour.

    Args:
        names: what is known from the start, for the width and the colours.
        style: how lines are shown.
        now: the time, in the time zone to show it in.
    """

    def __init__(
        self, names: Iterable[str], style: Style, now: Callable[[], datetime]
    ) -> None:
        """Give out the colours."""
        known = [OWN, *names]
        self._style, self._now = style, now
        self._width = max(map(len, known))
        types = dict.fromkeys(name.partition(".")[0] for name in known[1:])
        self._colours = dict(zip(types, cycle(COLOURS), strict=False))

    def lines(self, name: str) -> Lines:
        """Return what makes the lines of a process ready to be shown."""
        if self._style.json:
            return JsonLines(name, self._now)
        return Lines(self.of(name))

    def of(self, name: str) -> Callable[[], bytes]:
        """Return what gives the prefix of a line now."""
        style, now = self._style, self._now
        label = f"{name:{self._width}} | " if style.names else ""
        colour = self._colours.get(name.partition(".")[0])
        if style.colours and label and colour:
            label = f"\x1b[{colour}m{label}\x1b[0m"
        fixed = label.encode()
        if not style.times:
            return lambda: fixed
        return lambda: now().strftime("%H:%M:%S ").encode() + fixed
