"""The dynos of a session: who starts, who starts again, and who is stopped."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from flow.runner import backoff
from flow.runner.boot import Boot
from flow.runner.dyno import NEVER, Dyno, State, Then
from flow.runner.ending import NOT_STARTED, Ending, in_words
from flow.runner.plan import PLAIN
from flow.runner.ports import WEB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flow.runner.formation import Instance
    from flow.runner.plan import Plan
    from flow.runner.process import Process
    from flow.runner.reaper import Reaper
    from flow.runner.streams import Streams
    from flow.runner.watcher import Wanted
    from flow.runner.world import World

AGAIN = 0.05  # seconds between two KILLs, as long as something is left


class Crew:
    """The dynos of a session.

    Args:
        plan: how they run.
        reaper: buries what ends.
        streams: reads what they write.
        say: tells the person in front of the screen.
        world: time, and chance for the waiting time before a restart.
    """

    def __init__(
        self,
        plan: Plan,
        reaper: Reaper,
        streams: Streams,
        say: Callable[[str], None],
        world: World,
    ) -> None:
        """Start nothing yet."""
        self.plan = plan
        self.dynos: dict[str, Dyno] = {}
        self.verdict: Ending | None = None  # why the session must end
        self._reaper, self._streams, self._say = reaper, streams, say
        self._boot = Boot(plan, reaper, say, world.clock)
        self._clock, self._now, self._chance = world.clock, world.now, world.chance

    def add(self, instance: Instance, *, one_off: bool = False) -> Dyno:
        """Make a place for an instance; it starts with the next turn."""
        kind = PLAIN if one_off else self.plan.kind(instance.type)
        dyno = Dyno(instance, kind, self._now(), one_off, due=self._clock())
        self.dynos[instance.name] = dyno
        return dyno

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

    def turn(self) -> None:
        """Start what is due, and kill what has used up its grace."""
        now = self._clock()
        for dyno in list(self.dynos.values()):
            if dyno.due <= now and self.verdict is None and self._may_start(dyno):
                self._start(dyno)
            if self._boot.turn(dyno):
                self._change(dyno, State.UP)
            if dyno.kill_at <= now and dyno.process:
                dyno.kill_at = now + AGAIN
                self._reaper.kill_one(dyno.process)
        self._end_if_done()

    def next_moment(self) -> float:
        """Return when there is something to do, in monotonic seconds."""
        waiting = [dyno.kill_at for dyno in self.dynos.values()]
        if self.verdict is None:
            waiting += [d.due for d in self.dynos.values() if self._may_start(d)]
        waiting += map(self._boot.next_moment, self.dynos.values())
        return min(waiting, default=NEVER)

    def wanted(self) -> dict[int, Wanted]:
        """Return what to wait for."""
        return self._boot.wanted(self.dynos.values())

    def stop(self, dyno: Dyno, then: Then) -> None:
        """Stop a dyno by hand; what is to happen afterwards happens by itself."""
        dyno.then, dyno.failures, dyno.due = then, 0, NEVER
        if not dyno.running or dyno.process is None:
            self._settle(dyno)
        elif dyno.state is not State.STOPPING:
            self._boot.end(dyno)
            self._change(dyno, State.STOPPING)
            dyno.kill_at = self._clock() + self.plan.grace
            dyno.process.send(signal.SIGTERM)
            dyno.process.send(signal.SIGCONT)

    def hear(self, process: Process, data: bytes) -> None:
        """Pass on what a process wrote to those who watch it."""
        dyno = self.dynos.get(process.name)
        if dyno is None:
            return
        if dyno.readiness:
            dyno.readiness.hear(data)
        for viewer in dyno.viewers:
            viewer.show(data)

    def ended(self, process: Process) -> None:
        """Take note of a process that has ended, and decide what follows."""
        if self._boot.answered(process, self.dynos.values()):
            return
        self._streams.drain(process)
        self._say(f"{process.name} {in_words(process.code or 0)}")
        dyno = self.dynos.get(process.name)
        if dyno is None or dyno.process is not process:
            return
        dyno.code = process.code
        self._boot.end(dyno)
        for viewer in dyno.viewers:
            viewer.leave()
        dyno.viewers.clear()
        if dyno.then is None and not self.plan.restart and not _is_done(dyno):
            self._change(dyno, State.CRASHED)
            self._decide(Ending(process.code or 0, asked=False))
        elif self.verdict:
            self._change(dyno, State.DOWN)
        elif self._reaper.terminate_leftovers(process):
            # A new one would find the port taken: it waits until they are gone.
            self._change(dyno, State.STOPPING)
            dyno.kill_at = min(dyno.kill_at, self._clock() + self.plan.grace)
        else:
            self._settle(dyno)

    def look_after_leftovers(self) -> None:
        """Go on with the dynos whose last process has left nothing any more."""
        for dyno in list(self.dynos.values()):
            process = dyno.process
            stopping = dyno.state is State.STOPPING
            if not (stopping and process and process.code is not None):
                continue
            if not self._reaper.terminate_leftovers(process):
                self._settle(dyno)

    def _may_start(self, dyno: Dyno) -> bool:
        return all(
            other.state in (State.UP, State.COMPLETE)
            for name in dyno.kind.after
            for other in self.of_type(name)
        )

    def _start(self, dyno: Dyno) -> None:
        if dyno.process:
            self._streams.close(dyno.process)
            self._reaper.forget(dyno.process)
            dyno.restarts += 1
        dyno.due, dyno.kill_at, dyno.then = NEVER, NEVER, None
        dyno.up_at = self._clock()
        process = self.plan.process(dyno.instance)
        try:
            process.start()
        except OSError as error:
            self._say(f"{dyno.name} cannot be started: {error}")
            self._cannot(dyno)
            return
        dyno.process = process
        self._reaper.add(process)
        self._streams.add(process)
        about = f", port {dyno.instance.port}" if dyno.instance.type == WEB else ""
        self._say(f"{dyno.name} started (pid {process.pid}{about})")
        if dyno.kind.ready:
            self._change(dyno, State.STARTING)
            self._boot.begin(dyno)
        else:
            self._change(dyno, State.UP)

    def _cannot(self, dyno: Dyno) -> None:
        self._change(dyno, State.CRASHED)
        if self.plan.restart and not dyno.one_off:
            self._again(dyno)
        elif dyno.one_off:
            self._remove(dyno)
        else:
            self._decide(Ending(NOT_STARTED, asked=False))

    def _settle(self, dyno: Dyno) -> None:
        then, dyno.then, dyno.kill_at = dyno.then, None, NEVER
        if dyno.one_off or then is Then.REMOVE:
            self._remove(dyno)
        elif then is Then.START:
            dyno.due = self._clock()
            self._change(dyno, State.DOWN)
        elif then is Then.STAY_DOWN:
            self._change(dyno, State.DOWN)
        elif _is_done(dyno):
            self._change(dyno, State.COMPLETE)
        else:
            self._again(dyno)

    def _again(self, dyno: Dyno) -> None:
        if self._clock() - dyno.up_at >= backoff.STEADY:
            dyno.failures = 0
        dyno.failures += 1
        wait = backoff.delay(dyno.failures, self._chance())
        dyno.due = self._clock() + wait
        self._change(dyno, State.CRASHED)
        when = f"in {wait:.1f} s" if wait else "at once"
        self._say(f"{dyno.name} starts again {when}")

    def _remove(self, dyno: Dyno) -> None:
        if dyno.process:
            self._streams.close(dyno.process)
            self._reaper.forget(dyno.process)
        self.dynos.pop(dyno.name, None)

    def _change(self, dyno: Dyno, state: State) -> None:
        if dyno.state is not state:
            dyno.state, dyno.since = state, self._now()

    def _decide(self, how: Ending) -> None:
        # Of those that ended in one instant, the first that failed counts.
        if self.verdict is None or not self.verdict.code:
            self.verdict = how

    def _end_if_done(self) -> None:
        states = {dyno.state for dyno in self.dynos.values()}
        # A file that changes may begin it anew, as long as files are watched.
        if self.verdict or self.plan.watch:
            return
        if states == {State.COMPLETE}:
            self.verdict = Ending(0, asked=False)


def _is_done(dyno: Dyno) -> bool:
    """Return whether this end is what was meant to happen."""
    if dyno.one_off:
        return True
    return dyno.kind.short_lived and not dyno.code


def counts(dynos: Iterable[Dyno]) -> dict[str, int]:
    """Return how many dynos there are of each type, without one-offs."""
    found: dict[str, int] = {}
    for dyno in dynos:
        if not dyno.one_off and dyno.then is not Then.REMOVE:
            found[dyno.instance.type] = found.get(dyno.instance.type, 0) + 1
    return found
