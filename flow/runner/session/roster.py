"""Which dynos a session has, what each is doing, and who waits for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.runner.processes.dyno import NEVER, Dyno, Role, State, Then
from flow.runner.session.plan import PLAIN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flow.runner.declared.formation import Instance
    from flow.runner.output.printer import Printer
    from flow.runner.processes.process import Process
    from flow.runner.releases.release import Release
    from flow.runner.session.plan import Plan
    from flow.runner.world import World


class Roster:
    """The dynos of a session.

    Args:
        plan: how they run.
        printer: notes what they do.
        world: the time.
    """

    def __init__(self, plan: Plan, printer: Printer, world: World) -> None:
        """Begin with none."""
        self.plan = plan
        self.dynos: dict[str, Dyno] = {}
        self.others: list[Dyno] = []  # on trial, or leaving
        self._printer, self._clock, self._now = printer, world.clock, world.now

    @property
    def every(self) -> list[Dyno]:
        """Every dyno: those that serve, those on trial, those that leave."""
        return [*self.dynos.values(), *self.others]

    def add(self, instance: Instance, *, one_off: bool = False) -> Dyno:
        """Make a place for an instance; it starts with the next turn."""
        kind = PLAIN if one_off else self.plan.kind(instance.type)
        dyno = Dyno(instance, kind, self.plan, self._now(), one_off, due=self._clock())
        self.dynos[instance.name] = dyno
        return dyno

    def try_out(self, instance: Instance, plan: Plan) -> Dyno:
        """Make a place beside the others for an instance of another release."""
        dyno = Dyno(instance, plan.kind(instance.type), plan, self._now())
        dyno.role, dyno.due = Role.TRIAL, self._clock()
        self.others.append(dyno)
        return dyno

    def use(self, release: Release | None) -> None:
        """Start processes with what a release says from now on."""
        self.plan = self.plan.of_release(release)
        for dyno in self.dynos.values():
            dyno.plan = dyno.plan.of_release(release)

    def hand_over(self, plan: Plan) -> list[Dyno]:
        """Let those on trial take over; return the others, which are to leave."""
        old = [dyno for dyno in self.dynos.values() if not dyno.one_off]
        new = [dyno for dyno in self.others if dyno.role is Role.TRIAL]
        self.plan = plan
        for dyno in old:
            dyno.role = Role.LEAVING
            del self.dynos[dyno.name]
        for dyno in new:
            dyno.role = Role.MEMBER
            self.dynos[dyno.name] = dyno
        self.others = [dyno for dyno in self.others if dyno not in new] + old
        return old

    def remove(self, dyno: Dyno) -> None:
        """Let a dyno go."""
        if dyno in self.others:
            self.others.remove(dyno)
        elif self.dynos.get(dyno.name) is dyno:
            del self.dynos[dyno.name]

    def change(self, dyno: Dyno, state: State) -> None:
        """Take note of what a dyno does now."""
        if dyno.state is not state:
            self._printer.note(dyno.name, f"State changed from {dyno.state} to {state}")
            dyno.state, dyno.since = state, self._now()

    def of_type(self, name: str) -> list[Dyno]:
        """Return the dynos of a type that are to run, by number."""
        found = [
            dyno
            for dyno in self.dynos.values()
            if dyno.instance.type == name
            and dyno.then is not Then.REMOVE
            and not dyno.one_off
        ]
        return sorted(found, key=lambda dyno: dyno.instance.number)

    def of(self, process: Process) -> Dyno | None:
        """Return the dyno that a process runs in, or ran in last."""
        dyno = self.dynos.get(process.name)
        if dyno and dyno.process is process:
            return dyno
        return next((one for one in self.others if one.process is process), None)

    def may_start(self, dyno: Dyno) -> bool:
        """Whether all that a dyno has to wait for is up."""
        return not any(
            other.awaited
            for name in dyno.kind.after
            for other in self._beside(dyno, name)
        )

    @property
    def has_come_up(self) -> bool:
        """Whether nothing is still to be waited for.

        What has crashed may do so for ever, and what comes after it be down for ever.
        """
        if any(dyno.state is State.CRASHED for dyno in self.every):
            return True
        return not any(
            dyno.state is State.STARTING or dyno.due < NEVER for dyno in self.every
        )

    def in_order(self) -> list[Dyno]:
        """Return the dynos as the Procfile has them; one-offs come last."""
        order = [entry.name for entry in self.plan.listed.types]
        order += {dyno.instance.type for dyno in self.dynos.values()} - {*order}
        return sorted(
            self.dynos.values(),
            key=lambda dyno: (order.index(dyno.instance.type), dyno.instance.number),
        )

    def _beside(self, dyno: Dyno, name: str) -> list[Dyno]:
        """Return the dynos of a type that one has to wait for."""
        trials = [
            other
            for other in self.others
            if dyno.role is other.role is Role.TRIAL and other.instance.type == name
        ]
        return trials or self.of_type(name)


def counts(dynos: Iterable[Dyno]) -> dict[str, int]:
    """Return how many dynos there are of each type, without one-offs."""
    found: dict[str, int] = {}
    for dyno in dynos:
        if not dyno.one_off and dyno.then is not Then.REMOVE:
            found[dyno.instance.type] = found.get(dyno.instance.type, 0) + 1
    return found
