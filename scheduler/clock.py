"""The role of a clock: cron ticks, delayed jobs, and the upkeep that workers share."""

from __future__ import annotations

import os
import selectors
import socket
import time
from typing import TYPE_CHECKING

from flow import events, keys
from flow.errors import FlowError
from flow.log import emit
from flow.scheduler.adopter import Adopter
from flow.scheduler.declarer import Declarer
from flow.scheduler.leader import Leader
from flow.scheduler.record import Record
from flow.scheduler.ticker import Ticker
from flow.scheduler.zones import Zones
from flow.schedules import zonedata
from flow.schedules.missed import count
from flow.service import Agenda
from flow.signals import STOP, Signals
from flow.store.doorbell import SCHEDULED, Doorbell
from flow.store.roster import Roster
from flow.store.rqscheduler import ENTRIES, Entries
from flow.store.schedules import Schedules
from flow.store.timetable import Timetable
from flow.upkeep.promoter import Promoter
from flow.upkeep.pulse import Pulse
from flow.upkeep.rounds import rounds
from flow.upkeep.steady import Steady

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flow.config import Project
    from flow.service import Service
    from flow.store.address import Address
    from flow.store.client import Store
    from flow.store.entry import Entry


class Clock:
    """Runs a clock until it is told to stop; any number may run.

    Args:
        store: where the jobs are.
        address: the server.
        project: the app, whose tasks are declared already.
        entries: makes what the app declares, planned from a time in ms since 1970 on.
        release: the number of this release; 0 when it has none.
    """

    def __init__(
        self,
        store: Store,
        address: Address,
        project: Project,
        entries: Callable[[int], Sequence[Entry]],
        release: int = 0,
    ) -> None:
        """Prepare; nothing is read before ``run``."""
        self._address = address
        self._project = project
        self._release = release
        timetable = Timetable(store.link, project.name)
        steady = Steady()
        record = Record(steady)
        name = f"{socket.gethostname()}.{os.getpid()}"
        self._bells = (keys.clock(project.name, "bell"), SCHEDULED, ENTRIES)
        self._doorbell = Doorbell(address, self._bells)
        roster = Roster(store.link, project.name, count)
        self._declarer = Declarer(timetable, roster, entries, release, record)
        self._leader = Leader(timetable, name, record, self._gained)
        self._ticker = Ticker(timetable, self._leader, record)
        adopted = Entries(store.link)
        self._adopter = Adopter(adopted, timetable, self._leader, record)
        self._promoter = Promoter(store, steady)
        schedules = Schedules(store.link, project.name)
        self._zones = Zones(timetable, schedules, self._leader)
        self._pulse = Pulse(store, "clock")
        self._agenda = Agenda([*self._own(), *rounds(store)])

    def _own(self) -> list[Service]:
        first: list[Service] = [self._leader, self._ticker, self._promoter]
        return [*first, self._adopter, self._declarer, self._pulse, self._zones]

    def run(self) -> int:
        """Run until stopped; return the exit code."""
        self._declarer.declare()
        emit(events.RoleStarted("clock", self._facts()))
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
        if self._doorbell.connected:
            self._doorbell.probe()
            return
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
        if ENTRIES in rung:
            self._agenda.hurry(self._adopter)
        if self._bells[0] in rung:
            # A schedule was edited, the leader has gone, or everything has.
            for service in (self._leader, self._ticker, self._declarer):
                self._agenda.hurry(service)

    def _gained(self) -> None:
        self._agenda.hurry(self._ticker)

    def _facts(self) -> list[str]:
        release = f", release {self._release}" if self._release else ""
        return [
            f"{self._declarer.count} schedules of {self._project.name}{release}",
            zonedata.told(int(time.time() * 1000)),
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
