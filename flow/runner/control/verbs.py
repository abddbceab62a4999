"""What a running session can be asked to do; the words are Heroku's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from flow.errors import ProcfileError, SessionError
from flow.runner.declared import procfile
from flow.runner.declared.formation import Instance
from flow.runner.processes import descendants
from flow.runner.processes.dyno import NEVER, Dyno, Then
from flow.runner.session.crew import counts
from flow.runner.session.ending import ORDERED
from flow.runner.session.signals import Order
from flow.runner.watching.changes import may_restart

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flow.runner.control.connection import Connection
    from flow.runner.declared.procfile import Procfile
    from flow.runner.releases.deployments import Deployments
    from flow.runner.session.crew import Crew
    from flow.runner.session.ending import Ending

Answer = dict[str, Any]
ONE_OFF = "run"  # what flow run --detach starts is run.1, run.2, ...
CHANGE = re.compile(r"([\w-]+?)([=+-])(\d{1,4})(?::([\w-]+))?", re.ASCII)


class Verbs:
    """The requests of a session.

    Args:
        crew: the dynos.
        keep: remembers the formation.
        stop: ends the session.
        say: tells the person in front of the session's screen.
        config: returns the config vars, read again for each restart.
    """

    def __init__(
        self,
        crew: Crew,
        keep: Callable[[dict[str, int]], None],
        stop: Callable[[Ending], None],
        say: Callable[[str], None],
        config: Callable[[], Mapping[str, str]],
    ) -> None:
        """Wait for requests."""
        self._crew, self._config = crew, config
        self._keep, self._stop, self._say = keep, stop, say
        self._runs = 0
        self.deployments: Deployments | None = None  # who deploys, if that can be
        self._changes = (self._scale, self._restart, self._stop_dynos, self._deploy)
        self._verbs: dict[str, Callable[[Answer, Connection], Answer]] = {
            "ps": self._ps,
            "scale": self._scale,
            "restart": self._restart,
            "stop": self._stop_dynos,
            "run": self._run,
            "attach": self._attach,
            "follow": self._follow,
            "quit": self._quit,
            "deploy": self._deploy,
        }

    def do(self, request: Answer, connection: Connection) -> Answer:
        """Do what is asked for and return the answer.

        Raises:
            SessionError: it cannot be done.
        """
        verb = self._verbs.get(str(request.get("verb")))
        if verb is None:
            raise SessionError("this session does not know that; restart it")
        if self.deployments and self.deployments.busy and verb in self._changes:
            raise SessionError("a release is being deployed; try again once it is over")
        return verb(request, connection)

    def _ps(self, _: Answer, __: Connection) -> Answer:
        listed = self._crew.plan.listed
        order = [entry.name for entry in listed.types]
        dynos = sorted(
            self._crew.dynos.values(),
            key=lambda dyno: (
                order.index(dyno.instance.type) if dyno.instance.type in order else 999,
                dyno.instance.number,
            ),
        )
        return {
            "dynos": [_described(dyno) for dyno in dynos],
            "formation": self._formation(),
        }

    def _scale(self, request: Answer, _: Connection) -> Answer:
        wanted, listed = self._formation(), self._listed()
        changed: dict[str, int] = {}
        for text in _texts(request):
            name, count = _change(text, wanted)
            changed[listed.require(name).name] = wanted[name] = count
        # Whatever cannot be is found before anything is done.
        places = [
            self._crew.plan.instance(listed, name, number)
            for name, count in changed.items()
            for number in range(1, count + 1)
        ]
        for name, count in changed.items():
            for dyno in self._crew.of_type(name)[count:]:
                self._crew.stop(dyno, Then.REMOVE)
        for place in places:
            self._fill(place)
        if changed:
            self._keep(changed)
            self._say(f"scaled to {_in_words(wanted)}")
        return {"formation": wanted, "changed": changed}

    def _listed(self) -> Procfile:
        return procfile.read(Path(self._crew.plan.listed.source))

    def _fill(self, place: Instance) -> None:
        dyno = self._crew.dynos.get(place.name)
        if dyno is None:
            self._crew.add(place)
        elif dyno.then in (Then.REMOVE, Then.STAY_DOWN) or _is_down(dyno):
            self._crew.stop(dyno, Then.START)

    def _restart(self, request: Answer, _: Connection) -> Answer:
        listed = self._listed()
        chosen = self._chosen(_texts(request))
        if request.get("alive"):  # what ps:stop has stopped stays down
            chosen = [dyno for dyno in chosen if may_restart(dyno)]
        self._crew.use(self._config())
        for dyno in chosen:
            dyno.renew(listed)
            self._crew.stop(dyno, Then.START)
        names = [dyno.name for dyno in chosen]
        self._say(f"restarting {', '.join(names) or 'nothing'}")
        return {"dynos": names}

    def _stop_dynos(self, request: Answer, _: Connection) -> Answer:
        names = _texts(request)
        if not names:
            raise SessionError("name a process or a type; flow stop ends the session")
        chosen = self._chosen(names)
        for dyno in chosen:
            self._crew.stop(dyno, Then.STAY_DOWN)
        self._say(f"stopping {', '.join(dyno.name for dyno in chosen)}")
        return {"dynos": [dyno.name for dyno in chosen]}

    def _run(self, request: Answer, _: Connection) -> Answer:
        command = request.get("command")
        if not isinstance(command, str) or not command.strip():
            raise SessionError("there is no command to run")
        self._runs += 1
        while f"{ONE_OFF}.{self._runs}" in self._crew.dynos:
            self._runs += 1
        one = Instance(ONE_OFF, self._runs, command, self._crew.plan.base)
        return {"dyno": self._crew.add(one, one_off=True).name}

    def _attach(self, request: Answer, connection: Connection) -> Answer:
        (dyno,) = self._chosen([str(request.get("dyno"))], most=1)
        process = dyno.process
        if process is None or not dyno.running:
            raise SessionError(f"{dyno.name} does not run")
        if not process.terminal:
            kind = dyno.instance.type
            raise SessionError(
                f"{dyno.name} has no terminal; start with flow start --pty {kind}"
            )
        rows, columns = request.get("rows"), request.get("columns")
        if isinstance(rows, int) and isinstance(columns, int):
            process.resize(rows & 0xFFFF, columns & 0xFFFF)
        dyno.viewers.append(connection)
        connection.typed = process.type
        return {"dyno": dyno.name}

    def _follow(self, _: Answer, connection: Connection) -> Answer:
        connection.follows = True
        return {}

    def _quit(self, _: Answer, __: Connection) -> Answer:
        self._say("stopping: flow stop said so")
        self._stop(ORDERED[Order.STOP])
        return {}

    def _deploy(self, request: Answer, connection: Connection) -> Answer:
        if self.deployments is None:
            raise SessionError("this session cannot deploy")
        self.deployments.begin(request, connection)
        return {}

    def _formation(self) -> dict[str, int]:
        types = {entry.name: 0 for entry in self._crew.plan.listed.types}
        return types | counts(self._crew.dynos.values())

    def _chosen(self, names: list[str], most: int = 10_000) -> list[Dyno]:
        crew = self._crew
        every = [one for one in crew.dynos.values() if not one.one_off]
        found = [] if names else every
        for name in names:
            one = crew.dynos.get(name)
            some = [one] if one else crew.of_type(name)
            if not some:
                known = ", ".join(crew.dynos)
                raise SessionError(f"no process {name!r} runs here; there are: {known}")
            found += some
        if len(found) > most:
            raise SessionError(f"name one of {', '.join(one.name for one in found)}")
        return list(dict.fromkeys(found))


def _texts(request: Answer) -> list[str]:
    names: object = request.get("names", [])
    found = cast("list[object]", names) if isinstance(names, list) else []
    return [str(name) for name in found]


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


def _described(dyno: Dyno) -> Answer:
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


def _in_words(formation: dict[str, int]) -> str:
    return " ".join(f"{name}={count}" for name, count in formation.items())
