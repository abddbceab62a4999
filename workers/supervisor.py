"""Supervisor: the parent of a worker's processes. One thread, one loop, for ever.

It forks the processes, beats for them, rings when there may be work, sees at once when
one dies and puts back what it held, and stops them within the grace.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import time
from typing import TYPE_CHECKING

from flow import events
from flow.errors import FlowError
from flow.log import emit
from flow.service import Agenda
from flow.signals import STOP, Signals
from flow.upkeep.promoter import Promoter
from flow.upkeep.pulse import Pulse
from flow.upkeep.rounds import rounds
from flow.workers import isolated, recycling
from flow.workers.bell import Bell
from flow.workers.burial import Burial, Dead
from flow.workers.commands import Commands
from flow.workers.deadlines import Deadlines
from flow.workers.guard import Guard
from flow.workers.heartbeat import Census, Heartbeat
from flow.workers.nursery import Ask, Nursery
from flow.workers.outofmemory import Killer
from flow.workers.process import Process, how, new_name
from flow.workers.quiet import Quiet
from flow.workers.seats import Seats
from flow.workers.settler import Settler
from flow.workers.stalls import AGAIN, Stalls
from flow.workers.vigil import Vigil

if TYPE_CHECKING:
    from flow.config import WorkerConfig
    from flow.store.address import Address
    from flow.store.client import Store

# Seconds in which a second Ctrl-C is the first one: a terminal sends it to all of
# `rq worker-pool`, which sends it to its workers. RQ's own workers have the same rule.
TWICE = 1.0
NEVER = float("inf")


class Supervisor:
    """Runs a worker until it is told to stop, or its burst is over.

    Args:
        store: where the jobs are.
        address: the server, for the processes' own connections.
        config: what the worker was told.
        name: unique in the fleet; made of host and process by default.
    """

    def __init__(
        self,
        store: Store,
        address: Address,
        config: WorkerConfig,
        name: str | None = None,
    ) -> None:
        """Prepare; nothing is started before ``run``."""
        self.name = name or f"{socket.gethostname()}.{os.getpid()}.{new_name()}"
        self._store, self._address, self._config = store, address, config
        self._nursery, self._guard = Nursery(Killer(), config.kill_after), Guard()
        self._seats = Seats(
            config, address, self.name, self._nursery.asks, self._forget
        )
        self._board = self._seats.board
        self._selector, self._interrupted = selectors.DefaultSelector(), NEVER
        self._signals = Signals((*STOP, signal.SIGCHLD, signal.SIGTSTP))
        self._bell = Bell(address, config, self.name, self._selector, self._seats)
        self._deadline: float | None = None
        self._settler = Settler(store, self.name)
        self._burial = Burial(store, self._settler, config.queues)
        self._heartbeat = Heartbeat(
            store, self._board, self.name, config.queues, self._census
        )
        self._quiet = Quiet(self.name, self._board, self._heartbeat)
        self._promoter = Promoter(store, hears=lambda: self._bell.connected)
        self._pulse = Pulse(store, config.role)
        alive = self._seats.processes.values
        self._deadlines = Deadlines(alive, config.kill_after)
        self._commands = Commands(
            store,
            self.name,
            alive,
            self._deadlines,
            lambda: self._stop("RQ's shutdown command"),
        )
        self._stalls = Stalls(store, self._settler, config.queues, alive)
        # Deadlines first: they need no server, which the others may wait for.
        first = (self._deadlines, self._heartbeat, self._pulse, self._burial)
        upkeep = (
            *(self._commands, Vigil(store, self.name, config.queues, alive)),
            *(self._promoter, *rounds(store)),
        )
        limits = recycling.scales(config, alive, lambda: self._seats.has_room)
        self._agenda = Agenda([*first, self._stalls, *upkeep, *limits])
        self._answer_bell()

    def _answer_bell(self) -> None:
        # Perhaps one of the processes has claimed.
        self._bell.on_queue = lambda: self._agenda.hurry(self._stalls, AGAIN)
        self._bell.on_scheduled = lambda: self._agenda.hurry(self._promoter)
        self._bell.on_message = self._on_command

    def run(self) -> Census:
        """Run until stopped; return what the processes have done."""
        self._selector.register(self._signals, selectors.EVENT_READ, self._on_signal)
        self._selector.register(self._nursery, selectors.EVENT_READ, self._on_ask)
        self._board.beaten()
        self._guard.start()
        self._bell.listen()  # before any job runs that somebody may want to stop
        for seat in range(self._config.processes):
            self._seats.start(seat)
        self._guard_all()
        # They are known to beat before they can have claimed anything for long.
        self._agenda.hurry(self._heartbeat)
        emit(events.RoleStarted("worker", self._facts()))
        try:
            while self._lives():
                self._turn()
        finally:
            census = self._census()
            self._end()
        return census

    def _lives(self) -> bool:
        return self._seats.taken or (self._deadline is None and self._seats.empty)

    def _turn(self) -> None:
        for key, _ in self._selector.select(self._wait()):
            key.data()
        if self._deadline is not None and time.monotonic() >= self._deadline:
            self._kill_all()
        self._nursery.kill_overdue()
        self._bell.listen()
        # What a dead process held goes back before another looks for work: in a burst
        # that one would find none, and end.
        self._agenda.run_due()
        self._succeed()
        if self._heartbeat.asked_to_stop:
            self._stop("asked to in Redis")
        if self._quiet.obey():
            self._show_state()

    def _wait(self) -> float:
        waits = [self._agenda.wait(), self._nursery.wait(), self._seats.wait(), 1.0]
        if self._deadline is not None:
            waits.append(self._deadline - time.monotonic())
        return max(0.0, min(waits))

    def _succeed(self) -> None:
        """Fill the seats of those that ended, or are about to."""
        if self._deadline is not None:
            self._seats.keep_empty()
            return
        self._seats.relieve()
        if self._seats.fill():
            self._guard_all()
            self._agenda.hurry(self._heartbeat)

    def _guard_all(self) -> None:
        """Have what runs now, with its programs, killed if this process is."""
        self._guard.keep({*self._seats.processes, *self._nursery.pids})

    def _forget(self) -> None:
        """Close what is the supervisor's own, right after a fork."""
        self._selector.close()
        self._signals.forget()
        self._bell.forget()
        self._store.link.close()
        self._nursery.forget()
        self._guard.forget()
        self._seats.close_bells()

    def _on_ask(self) -> None:
        for ask in self._nursery.asked():
            if ask.owner in self._seats.processes:
                self._isolate(ask)
            else:
                ask.close()  # it died since

    def _isolate(self, ask: Ask) -> None:
        channel, verdict = ask.descriptors
        room = isolated.Room(
            self._config, self._address, self._board, channel, os.getpid()
        )
        try:
            pid = self._seats.births.room(room, verdict)
        except OSError as error:
            self._nursery.unborn(ask, str(error))
            return
        self._nursery.born(pid, ask)
        self._guard_all()

    def _on_signal(self) -> None:
        for number in self._signals.taken():
            if number == signal.SIGCHLD:
                self._reap()
            elif number == signal.SIGTSTP:
                if self._quiet.begin("SIGTSTP"):
                    self._show_state()
            elif number == signal.SIGINT:
                self._interrupt()
            else:
                self._stop(signal.Signals(number).name)

    def _interrupt(self) -> None:
        now = time.monotonic()
        self._stop("Ctrl-C; once more to stop at once")
        if now - self._interrupted > TWICE:
            self._kill_all()
        self._interrupted = min(self._interrupted, now)

    def _on_command(self, message: bytes) -> None:
        self._commands.hear(message)
        self._agenda.hurry(self._commands)

    def _show_state(self) -> None:
        self._agenda.hurry(self._heartbeat)
        self._seats.ring()

    def _stop(self, why: str) -> None:
        if self._deadline is not None:
            return
        self._deadline = time.monotonic() + self._config.grace
        emit(events.RoleStopping("worker", why, self._config.grace))
        self._board.stop(time.time() + self._config.grace)
        self._seats.ring()

    def _kill_all(self) -> None:
        self._seats.kill()
        # After those who wait for them, and could say that they had crashed.
        self._nursery.kill_all()
        self._deadline = float("inf")

    def _reap(self) -> None:
        alive, dead = self._seats.processes, self._seats.dead
        for pid in list(alive):
            try:
                reaped, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                reaped, status = pid, 0
            if reaped:
                process = alive.pop(pid)
                # What its jobs started must not outlive it: they would run beside
                # their rerun.
                process.kill_group()
                self._nursery.kill_of(pid)
                dead.append((process, status))
        self._nursery.reap()
        self._guard_all()
        for process, status in list(dead):
            if not self._nursery.has(process.pid):
                dead.remove((process, status))
                self._bury(process, status)

    def _bury(self, process: Process, status: int) -> None:
        process.close()
        told = how(status, self._nursery.killer)
        stopping = self._deadline is not None
        part = process.part
        running, loading = part.running(), part.loading()
        died = bool(status or running or loading)  # os._exit(0) in a job is a death too
        if died and not stopping and not process.verdicts:
            emit(events.ProcessDied(process.pid, told))
        unsent = self._stalls.unsent(process)
        dead = Dead(process.name, running, loading, told, stopping, unsent)
        dead.verdicts = process.verdicts
        dead.asked = part.asked.numbers() - part.doubted.numbers()
        for _ in process.verdicts:
            part.count(seconds=0.0, failed=True)
        self._burial.add(dead)
        self._agenda.hurry(self._burial)
        if not stopping:
            self._seats.vacate(process, died=died)

    def _census(self) -> Census:
        parts = self._board.parts()
        counts = [part.counts() for part in parts]
        return Census(
            [process.name for process in self._seats.processes.values()],
            done=sum(done for done, _, _ in counts),
            failed=sum(failed for _, failed, _ in counts),
            worked=sum(worked for _, _, worked in counts),
            running=sum(len(part.running()) for part in parts),
        )

    def _facts(self) -> list[str]:
        config = self._config
        return [
            f"serves {', '.join(config.queues)}",
            *config.reasons.values(),
            f"Redis is {self._address}",
        ]

    def _end(self) -> None:
        try:
            self._burial.finish()
            self._settler.finish()
            self._heartbeat.run_once()  # the last counts
            self._pulse.end()
            self._store.leave([], self.name, self._config.queues)
        except FlowError as error:
            # Others recover what it held, once its heartbeat has stood still.
            emit(events.UpkeepFailed("leaving", str(error)))
        self._bell.close()
        self._nursery.close()
        self._guard.close()
        self._signals.close()
        self._selector.close()
        self._board.close()
        emit(events.RoleStopped("worker"))
