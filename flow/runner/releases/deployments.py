"""The deployments of a running session, one at a time, and who is told of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flow.errors import SessionError
from flow.runner.declared import formation
from flow.runner.processes.dyno import NEVER
from flow.runner.releases.rollout import Rollout
from flow.runner.releases.store import ReleaseStore
from flow.runner.session.roster import counts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flow.runner.control.connection import Connection
    from flow.runner.output.printer import Printer
    from flow.runner.releases.plans import Plans
    from flow.runner.releases.release import Release
    from flow.runner.session.crew import Crew
    from flow.runner.session.plan import Plan
    from flow.runner.session.state import State


class Deployments:
    """Puts a release in place of what runs.

    Args:
        crew: the dynos.
        plans: how a release is run.
        state: where the releases are kept.
        printer: tells the person in front of the session's screen.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        crew: Crew,
        plans: Plans,
        state: State,
        printer: Printer,
        clock: Callable[[], float],
    ) -> None:
        """Deploy nothing yet."""
        self._crew, self._plans, self._state = crew, plans, state
        self._printer, self._clock = printer, clock
        self._rollout: Rollout | None = None
        self._connection: Connection | None = None

    @property
    def busy(self) -> bool:
        """Whether one is under way."""
        return self._rollout is not None

    def begin(self, request: Mapping[str, Any], connection: Connection) -> None:
        """Begin to deploy a release that is pending.

        Args:
            request: ``version``; ``formation`` is true if that of the release counts,
                rather than the one that runs.
            connection: is told how it goes on; gives up by typing, or by hanging up.

        Raises:
            SessionError: this session cannot.
            FlowError: the release cannot be run.
        """
        if self._crew.roster.plan.watch:
            raise SessionError(
                "this session restarts what changed files touch: flow stop, then flow"
                " start without --watch"
            )
        store = ReleaseStore(self._state.folder)
        release = store.get(str(request.get("version")))
        plan = self._plans.of(release)
        wanted = self._formation(plan, release, of_release=bool(request["formation"]))
        instances = formation.instances(plan.listed, (), wanted, plan.base)

        def commit() -> None:
            store.succeed(release)
            self._keep(wanted)

        def say(text: str) -> None:
            self._printer.say(f"{release.name}: {text}")
            connection.show(_line({"say": text}))

        self._connection = connection
        self._rollout = rollout = Rollout(
            self._crew, plan, instances, commit, say, self._clock
        )
        connection.typed = lambda _: rollout.cancel("interrupted")
        self._printer.say(f"deploying {release.name}: {release.what}")

    def next_moment(self) -> float:
        """Return when there is something to do, in monotonic seconds."""
        return self._rollout.next_moment() if self._rollout else NEVER

    def turn(self) -> None:
        """Go on with what is under way."""
        rollout, connection = self._rollout, self._connection
        if rollout is None or connection is None:
            return
        if connection.closed:
            rollout.cancel("flow deploy has ended")
        step = None
        while rollout.step is not step:
            step = rollout.step
            rollout.turn()
        if rollout.done:
            self._rollout = self._connection = None
            connection.show(_line({"done": rollout.succeeded, "why": rollout.why}))
            connection.leave()

    def _formation(
        self, plan: Plan, release: Release, *, of_release: bool
    ) -> dict[str, int]:
        listed = [entry.name for entry in self._crew.roster.plan.listed.types]
        now = {**dict.fromkeys(listed, 0), **counts(self._crew.roster.dynos.values())}
        if of_release:
            now |= release.formation
        # Here a type that is new runs once, as flow start has it.
        return {entry.name: now.get(entry.name, 1) for entry in plan.listed.types}

    def _keep(self, wanted: dict[str, int]) -> None:
        try:
            self._state.keep(self._state.kept() | wanted)
        except OSError as error:
            self._printer.say(f"the formation is not kept: {error.strerror}")


def _line(content: dict[str, object]) -> bytes:
    return json.dumps(content).encode() + b"\n"
