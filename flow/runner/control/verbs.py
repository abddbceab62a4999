"""What a running session can be asked to do; the words are Heroku's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flow.errors import SessionError
from flow.runner.control.described import described
from flow.runner.control.request import Answer, chosen, texts
from flow.runner.control.scaling import Scaling
from flow.runner.declared import procfile
from flow.runner.declared.formation import Instance
from flow.runner.processes.dyno import Then
from flow.runner.session.ending import ORDERED
from flow.runner.session.signals import Order
from flow.runner.watching.changes import may_restart

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.runner.control.connection import Connection
    from flow.runner.releases.deployments import Deployments
    from flow.runner.releases.release import Release
    from flow.runner.session.crew import Crew
    from flow.runner.session.ending import Ending

ONE_OFF = "run"  # what flow run --detach starts is run.1, run.2, ...


class Verbs:
    """The requests of a session.

    Args:
        crew: the dynos.
        keep: remembers the formation.
        stop: ends the session.
        say: tells the person in front of the session's screen.
        current: returns the current release, read again for each restart.
    """

    def __init__(
        self,
        crew: Crew,
        keep: Callable[[dict[str, int]], None],
        stop: Callable[[Ending], None],
        say: Callable[[str], None],
        current: Callable[[], Release | None],
    ) -> None:
        """Wait for requests."""
        self._crew, self._roster, self._current = crew, crew.roster, current
        self._stop, self._say = stop, say
        self._scaling = Scaling(crew, keep, say)
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
        return described(self._roster)

    def _scale(self, request: Answer, _: Connection) -> Answer:
        return self._scaling.do(request)

    def _restart(self, request: Answer, _: Connection) -> Answer:
        listed = procfile.read(Path(self._roster.plan.listed.source))
        dynos = chosen(self._roster, texts(request))
        if request.get("alive"):  # what ps:stop has stopped stays down
            dynos = [dyno for dyno in dynos if may_restart(dyno)]
        self._roster.use(self._current())
        for dyno in dynos:
            dyno.renew(listed)
            self._crew.stop(dyno, Then.START)
        names = [dyno.name for dyno in dynos]
        self._say(f"restarting {', '.join(names) or 'nothing'}")
        return {"dynos": names}

    def _stop_dynos(self, request: Answer, _: Connection) -> Answer:
        names = texts(request)
        if not names:
            raise SessionError("name a process or a type; flow stop ends the session")
        dynos = chosen(self._roster, names)
        for dyno in dynos:
            self._crew.stop(dyno, Then.STAY_DOWN)
        self._say(f"stopping {', '.join(dyno.name for dyno in dynos)}")
        return {"dynos": [dyno.name for dyno in dynos]}

    def _run(self, request: Answer, _: Connection) -> Answer:
        command = request.get("command")
        if not isinstance(command, str) or not command.strip():
            raise SessionError("there is no command to run")
        self._runs += 1
        while f"{ONE_OFF}.{self._runs}" in self._roster.dynos:
            self._runs += 1
        one = Instance(ONE_OFF, self._runs, command, self._roster.plan.base)
        return {"dyno": self._roster.add(one, one_off=True).name}

    def _attach(self, request: Answer, connection: Connection) -> Answer:
        (dyno,) = chosen(self._roster, [str(request.get("dyno"))], most=1)
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
