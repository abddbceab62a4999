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

from flow import events, keys
from flow.errors import FlowError
from flow.log import emit
from flow.service import Agenda
from flow.signals import STOP, Signals
from flow.store.doorbell import SCHEDULED, Doorbell
from flow.upkeep.janitor import Janitor
from flow.upkeep.promoter import Promoter
from flow.upkeep.pulse import Pulse
from flow.upkeep.recoverer import Recoverer
from flow.workers import child, isolated, recycling
from flow.workers.board import Board
from flow.workers.burial import Burial, Dead
from flow.workers.commands import Commands
from flow.workers.deadlines import Deadlines
from flow.workers.heartbeat import Census, Heartbeat
from flow.workers.line import MOST
from flow.workers.nursery import Ask, Nursery
from flow.workers.outofmemory import Killer
from flow.workers.process import Process, how, new_name
from flow.workers.quiet import Quiet

if TYPE_CHECKING:
    from flow.config import WorkerConfig
    from flow.store.address import Address
    from flow.store.client import Store

# Beside its queues, what a worker's doorbell rings for.
ALSO = (SCHEDULED, keys.SUSPENDED, keys.PAUSED)
QUICK = 1.0  # seconds: a process that died younger waits before it is replaced


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
        """Prepare; nothing is forked before ``run``."""
        self.name = name or f"{socket.gethostname()}.{os.getpid()}.{new_name()}"
        self._store, self._address, self._config = store, address, config
        self._room = recycling.room(config)
        self._board = Board(self._room, config.threads + config.concurrency + MOST)
        self._nursery = Nursery(Killer(), config.kill_after)
        self._processes: dict[int, Process] = {}
        self._dead: list[tuple[Process, int]] = []
        self._empty_seats: dict[int, float] = {}
        self._selector = selectors.DefaultSelector()
        self._signals = Signals((*STOP, signal.SIGCHLD, signal.SIGTSTP))
        # Its own queues alone: what others push or take must not wake this worker.
        self._doorbell = Doorbell(
            address,
            (*map(keys.queue, config.queues), *ALSO),
            keys.commands(self.name),
        )
        self._bell_due, self._interrupts = 0.0, 0
        self._deadline: float | None = None
        self._burial = Burial(store, self.name)
        self._heartbeat = Heartbeat(
            store, self._board, self.name, config.queues, self._census
        )
        self._quiet = Quiet(self.name, self._board, self._heartbeat)
        self._promoter = Promoter(store, hears=lambda: self._doorbell.connected)
        self._pulse = Pulse(store, config.role)
        self._deadlines = Deadlines(self._processes.values, config.kill_after)
        self._commands = Commands(
            store,
            self.name,
            self._processes.values,
            self._deadlines,
            lambda: self._stop("RQ's shutdown command"),
        )
        # Deadlines first: they need no server, which the others may wait for.
        first = (self._deadlines, self._heartbeat, self._pulse, self._burial)
        upkeep = (self._commands, self._promoter, Recoverer(store), Janitor(store))
        limits = recycling.scales(config, self._processes.values, self._has_room)
        self._agenda = Agenda([*first, *upkeep, *limits])

    def run(self) -> Census:
        """Run until stopped; return what the processes have done."""
        self._selector.register(self._signals, selectors.EVENT_READ, self._on_signal)
        self._selector.register(self._nursery, selectors.EVENT_READ, self._on_ask)
        self._board.beaten()
        self._listen()  # before any job runs here that somebody may want to stop
        for seat in range(self._config.processes):
            self._fork(seat)
        emit(events.RoleStarted("worker", self._facts()))
        try:
            while self._lives():
                self._turn()
        finally:
            census = self._census()
            self._end()
        return census

    def _lives(self) -> bool:
        seats = self._deadline is None and self._empty_seats
        return bool(self._processes or self._dead or seats)

    def _turn(self) -> None:
        for key, _ in self._selector.select(self._wait()):
            key.data()
        if self._deadline is not None and time.monotonic() >= self._deadline:
            self._kill_all()
        self._nursery.kill_overdue()
        self._listen()
        # What a dead process held goes back before another looks for work: in a burst
        # that one would find none, and end.
        self._agenda.run_due()
        self._relieve()
        self._reseat()
        if self._heartbeat.asked_to_stop:
            self._stop("asked to in Redis")
        if self._quiet.obey():
            self._show_state()

    def _wait(self) -> float:
        waits = [self._agenda.wait(), self._nursery.wait(), 1.0]
        if self._deadline is not None:
            waits.append(self._deadline - time.monotonic())
        waits += [due - time.monotonic() for due in self._empty_seats.values()]
        return max(0.0, min(waits))

    def _fork(self, seat: int) -> None:
        bell, ringer = os.pipe()
        os.set_blocking(ringer, False)
        place, name, parent = self._free_place(), new_name(), os.getpid()
        part = self._board.part(place)
        part.clear()
        try:
            pid = os.fork()
        except OSError:
            os.close(bell)
            os.close(ringer)
            raise
        if pid == 0:
            self._forget()
            os.close(ringer)
            child.main(
                child.Seat(
                    process=name,
                    worker=self.name,
                    config=self._config,
                    address=self._address,
                    board=self._board,
                    part=part,
                    bell=bell,
                    asks=self._nursery.asks,
                    parent=parent,
                )
            )
        os.close(bell)
        born = time.monotonic()
        process = Process(seat, place, part, ringer, pid, born, name)
        process.before = process.jobs
        self._processes[pid] = process
        # It is known to beat before it can have claimed anything for long.
        self._agenda.hurry(self._heartbeat)

    def _forget(self) -> None:
        """Close what is the supervisor's own, right after a fork."""
        self._selector.close()
        self._signals.forget()
        self._doorbell.forget()
        self._store.link.close()
        self._nursery.forget()
        for process in self._processes.values():
            process.close()

    def _on_ask(self) -> None:
        for ask in self._nursery.asked():
            if ask.owner in self._processes:
                self._isolate(ask)
            else:
                ask.close()  # it died since

    def _isolate(self, ask: Ask) -> None:
        parent, channel = os.getpid(), ask.descriptors[0]
        try:
            pid = os.fork()
        except OSError as error:
            self._nursery.unborn(ask, str(error))
            return
        if pid == 0:
            self._forget()
            self._nursery.asks.close()
            os.close(ask.descriptors[1])
            isolated.main(
                isolated.Room(self._config, self._address, self._board, channel, parent)
            )
        self._nursery.born(pid, ask)

    def _on_signal(self) -> None:
        for number in self._signals.taken():
            if number == signal.SIGCHLD:
                self._reap()
            elif number == signal.SIGTSTP:
                if self._quiet.begin("SIGTSTP"):
                    self._show_state()
            elif number == signal.SIGINT:
                self._interrupts += 1
                self._stop("Ctrl-C; once more to stop at once")
                if self._interrupts > 1:
                    self._kill_all()
            else:
                self._stop(signal.Signals(number).name)

    def _show_state(self) -> None:
        self._agenda.hurry(self._heartbeat)
        self._ring()

    def _stop(self, why: str) -> None:
        if self._deadline is not None:
            return
        self._deadline = time.monotonic() + self._config.grace
        emit(events.RoleStopping("worker", why, self._config.grace))
        self._board.stop(time.time() + self._config.grace)
        self._ring()

    def _kill_all(self) -> None:
        for process in self._processes.values():
            process.kill()
        # After those who wait for them, and could say that they had crashed.
        self._nursery.kill_all()
        self._deadline = float("inf")

    def _reap(self) -> None:
        for pid in list(self._processes):
            try:
                reaped, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                reaped, status = pid, 0
            if reaped:
                process = self._processes.pop(pid)
                # What its jobs started must not outlive it: they would run beside
                # their rerun.
                process.kill_group()
                self._nursery.kill_of(pid)
                self._dead.append((process, status))
        self._nursery.reap()
        for process, status in list(self._dead):
            if not self._nursery.has(process.pid):
                self._dead.remove((process, status))
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
        unsent = part.outbox.unsent()
        dead = Dead(process.name, running, loading, told, stopping, unsent)
        dead.verdicts = process.verdicts
        for _ in process.verdicts:
            part.count(seconds=0.0, failed=True)
        self._burial.add(dead)
        self._agenda.hurry(self._burial)
        if stopping or process.relieved:
            return
        if part.retires and not died:
            self._announce(process)
            if not self._config.once:
                self._empty_seats[process.seat] = time.monotonic()
        elif died or not self._config.burst:
            age = time.monotonic() - process.born
            self._empty_seats[process.seat] = time.monotonic() + (
                QUICK if age < QUICK else 0.0
            )

    def _relieve(self) -> None:
        """Give successors to processes that take nothing new."""
        for process in self._processes.values():
            if not process.part.retires or self._deadline is not None:
                continue
            self._announce(process)
            wanted = process.part.vacant and not self._config.once
            vacant = wanted and not process.relieved
            if vacant and self._has_room():
                process.relieved = True
                self._empty_seats[process.seat] = time.monotonic()

    def _announce(self, process: Process) -> None:
        if not process.announced:
            process.announced = True
            why = recycling.why(self._config, process)
            emit(events.ProcessRetired(process.pid, why))

    def _has_room(self) -> bool:
        here = len(self._processes) + len(self._dead)
        return here + len(self._empty_seats) < self._room

    def _free_place(self) -> int:
        taken = {process.place for process in self._processes.values()}
        taken |= {process.place for process, _ in self._dead}
        return next(n for n in range(self._room) if n not in taken)

    def _reseat(self) -> None:
        now = time.monotonic()
        if self._deadline is not None:
            self._empty_seats.clear()
        for seat in [i for i, due in self._empty_seats.items() if due <= now]:
            del self._empty_seats[seat]
            try:
                self._fork(seat)
            except OSError as error:
                # No memory or no descriptor left just now: the others must go on.
                self._empty_seats[seat] = now + QUICK
                emit(events.UpkeepFailed("starting a process", str(error)))

    def _listen(self) -> None:
        """Have a doorbell, and try for one each second while there is none."""
        if self._doorbell.connected or time.monotonic() < self._bell_due:
            return
        self._bell_due = time.monotonic() + 1.0
        descriptor = self._doorbell.connect()
        if descriptor is not None:
            self._selector.register(descriptor, selectors.EVENT_READ, self._on_bell)
            self._agenda.hurry(self._promoter)
        # What changed before it listened; without a bell they look each second.
        self._ring()

    def _on_bell(self) -> None:
        descriptor = self._doorbell.fileno()
        rung = self._doorbell.rung()
        if rung is None:
            self._selector.unregister(descriptor)
            self._agenda.hurry(self._promoter)
            return
        if rung - {SCHEDULED} and not self._board.quiet:
            for process in self._processes.values():
                if process.part.listening:
                    process.ring()
        for message in self._doorbell.messages():
            self._commands.hear(message)
            self._agenda.hurry(self._commands)
        if SCHEDULED in rung:
            self._agenda.hurry(self._promoter)

    def _ring(self) -> None:
        for process in self._processes.values():
            process.ring()

    def _census(self) -> Census:
        parts = [self._board.part(n) for n in range(self._room)]
        counts = [part.counts() for part in parts]
        return Census(
            [process.name for process in self._processes.values()],
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
            self._commands.finish()
            self._heartbeat.run_once()  # the last counts
            self._pulse.end()
            self._store.leave([], self.name, self._config.queues)
        except FlowError as error:
            # Others recover what it held, once its heartbeat has stood still.
            emit(events.UpkeepFailed("leaving", str(error)))
        self._doorbell.close()
        self._nursery.close()
        self._signals.close()
        self._selector.close()
        self._board.close()
        emit(events.RoleStopped("worker"))
