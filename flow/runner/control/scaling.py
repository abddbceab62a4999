"""More or fewer dynos of a type: ``flow ps:scale web=2 worker+1``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from flow.errors import ProcfileError
from flow.runner.control.described import formation
from flow.runner.control.request import Answer, texts
from flow.runner.declared import procfile
from flow.runner.declared.formation import doubtful
from flow.runner.processes.dyno import NEVER, Dyno, Then

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.runner.declared.formation import Instance
    from flow.runner.session.crew import Crew

CHANGE = re.compile(r"([\w-]+?)([=+-])(\d{1,4})(?::([\w-]+))?", re.ASCII)


class Scaling:
    """Changes the formation of a session.

    Args:
        crew: the dynos.
        keep: remembers the formation.
        say: tells the person in front of the session's screen.
    """

    def __init__(
        self,
        crew: Crew,
        keep: Callable[[dict[str, int]], None],
        say: Callable[[str], None],
    ) -> None:
        """Wait for requests."""
        self._crew, self._roster = crew, crew.roster
        self._keep, self._say = keep, say

    def do(self, request: Answer) -> Answer:
        """Do all that is asked for, or nothing.

        Raises:
            ProcfileError: a change is unreadable, or its type unknown.
        """
        plan, wanted = self._roster.plan, formation(self._roster)
        listed = procfile.read(Path(plan.listed.source))
        changed: dict[str, int] = {}
        for text in texts(request):
            name, count = _change(text, wanted)
            changed[listed.require(name).name] = wanted[name] = count
        # Whatever cannot be is found before anything is done.
        places = [
            plan.instance(listed, name, number)
            for name, count in changed.items()
            for number in range(1, count + 1)
        ]
        self._apply(changed, places)
        doubts = doubtful(changed)
        if changed:
            self._keep(changed)
            for said in (f"scaled to {_in_words(wanted)}", *doubts):
                self._say(said)
        return {"formation": wanted, "changed": changed, "doubts": doubts}

    def _apply(self, changed: dict[str, int], places: list[Instance]) -> None:
        for name, count in changed.items():
            for dyno in self._roster.of_type(name)[count:]:
                self._crew.stop(dyno, Then.REMOVE)
        for place in places:
            self._fill(place)

    def _fill(self, place: Instance) -> None:
        dyno = self._roster.dynos.get(place.name)
        if dyno is None:
            self._roster.add(place)
        elif dyno.then in (Then.REMOVE, Then.STAY_DOWN) or _is_down(dyno):
            self._crew.stop(dyno, Then.START)


def _change(text: str, now: dict[str, int]) -> tuple[str, int]:
    match = CHANGE.fullmatch(text)
    if match is None:
        raise ProcfileError(f"{text!r} is not of the form web=2, worker+1 or worker-1")
    name, sign, number, size = match.groups()
    if size:
        raise ProcfileError(
            f"{text!r}: dynos have no sizes here; write {name}{sign}{number}"
        )
    before = now.get(name, 0)
    steps = {"=": int(number), "+": before + int(number), "-": before - int(number)}
    return name, max(0, steps[sign])


def _is_down(dyno: Dyno) -> bool:
    return not dyno.running and dyno.due == NEVER


def _in_words(formation: dict[str, int]) -> str:
    return " ".join(f"{name}={count}" for name, count in formation.items())
