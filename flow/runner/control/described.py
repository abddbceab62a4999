"""What a session says of its dynos: the answer to ``flow ps``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.runner.processes import descendants
from flow.runner.session.roster import counts

if TYPE_CHECKING:
    from flow.runner.control.request import Answer
    from flow.runner.processes.dyno import Dyno
    from flow.runner.session.roster import Roster


def described(roster: Roster) -> Answer:
    """Return what runs, in the order of the Procfile, and the formation."""
    dynos = [_one(dyno) for dyno in roster.in_order()]
    return {"dynos": dynos, "formation": formation(roster)}


def formation(roster: Roster) -> dict[str, int]:
    """Return how many there are of each type of the Procfile."""
    types = {entry.name: 0 for entry in roster.plan.listed.types}
    return types | counts(roster.dynos.values())


def _one(dyno: Dyno) -> Answer:
    process = dyno.process
    return {
        "name": dyno.name,
        "type": dyno.instance.type,
        "command": dyno.instance.command,
        "port": dyno.instance.port,
        "state": dyno.state.value,
        "since": dyno.since.isoformat(),
        "restarts": dyno.restarts,
        "code": dyno.code,
        "pid": process.pid if process and dyno.running else None,
        "memory": descendants.memory(process.pid) if process and dyno.running else 0,
    }
