"""The role of a clock: cron ticks, delayed jobs, and the upkeep that workers share."""

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
from flow.registry import TASKS
from flow.scheduler.leader import Leader
from flow.scheduler.schedule import entries
from flow.scheduler.ticker import Ticker
from flow.service import Agenda
from flow.signals import Signals
from flow.store.doorbell import SCHEDULED, Doorbell
from flow.store.timetable import Timetable
from flow.upkeep.janitor import Janitor
from flow.upkeep.promoter import Promoter
from flow.upkeep.pulse import Pulse
from flow.upkeep.recoverer import Recoverer

if TYPE_CHECKING:
    from flow.config import Project
    from flow.store.address import Address
    from flow.store.client import Store

STOP = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Clock:
    """Runs a clock until it is told to stop; any number may run.

    Args:
        store: where the jobs are.
        address: the server.
        project: the app, whose tasks are declared already.
    """

    def __init__(self, store: Store, address: Address, project: Project) -> None:
        """Prepare; nothing is read before ``run``."""
        self.name = f"{socket.gethostname()}.{os.getpid()}"
        self._address = address
        self._project = project
        self._timetable = Timetable(store.link, project.name)
        self._bells = (keys.clock(project.name), SCHEDULED)
        self._doorbell = Doorbell(address, self._bells)
        self._leader = Leader(self._timetable, self.name)
        self._ticker = Ticker(self._timetable, self._leader)
        self._promoter = Promoter(store)
        self._pulse = Pulse(store, "clock")
        ours = (self._leader, self._ticker, self._promoter, self._pulse)
        self._agenda = Agenda([*ours, Recoverer(store), Janitor(store)])
        self._bell_due = 0.0

    def run(self) -> int:
        """Run until stopped; return the exit code."""
        declared = entries(TASKS, time.time())
        changes = self._timetable.declare(declared)
        emit(events.RoleStarted("clock", self._facts(len(declared), changes)))
        signals = Signals(STOP)
        with selectors.DefaultSelector() as selector:
            selector.register(signals, selectors.EVENT_READ)
            while not signals.taken():
                self._turn(selector)
        self._end()
        signals.close()
        return 0

    def _turn(self, selector: selectors.BaseSelector) -> None:
        self._listen(selector)
        self._agenda.run_due()
        for key, _ in selector.select(min(1.0, self._agenda.wait())):
            if key.fd == self._doorbell.fileno():
                self._hear(selector)

    def _listen(self, selector: selectors.BaseSelector) -> None:
        if self._doorbell.connected or time.monotonic() < self._bell_due:
            return
        self._bell_due = time.monotonic() + 1.0
        descriptor = self._doorbell.connect()
        if descriptor is not None:
            selector.register(descriptor, selectors.EVENT_READ)

    def _hear(self, selector: selectors.BaseSelector) -> None:
        descriptor = self._doorbell.fileno()
        rung = self._doorbell.rung()
        if rung is None:
            selector.unregister(descriptor)
            return
        if SCHEDULED in rung:
            self._agenda.hurry(self._promoter)
        if self._bells[0] in rung and not self._leader.token:
            # Our own ticks ring it too, so only a standby hurries: has the leader gone?
            self._agenda.hurry(self._leader)

    def _facts(self, count: int, changes: tuple[list[str], ...]) -> list[str]:
        words = ("added", "changed", "removed")
        told = [
            f"{word} {', '.join(ids)}"
            for word, ids in zip(words, changes, strict=True)
            if ids
        ]
        return [
            f"{count} schedules of {self._project.name}",
            *told,
            f"Redis is {self._address}",
        ]

    def _end(self) -> None:
        try:
            self._leader.resign()
            self._pulse.end()
        except FlowError as error:
            # The lease runs out by itself.
            emit(events.UpkeepFailed("resigning", str(error)))
        self._doorbell.close()
        emit(events.RoleStopped("clock"))
