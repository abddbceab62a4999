"""Ends processes with all that they have started, and learns how they ended."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from flow.runner.processes import descendants

if TYPE_CHECKING:
    from flow.runner.processes.process import Process


class Reaper:
    """The processes of a session, and the orphans they leave.

    It takes every child of this program for one of the session.
    """

    def __init__(self) -> None:
        """Adopt orphans from now on."""
        descendants.adopt_orphans()
        self.processes: dict[int, Process] = {}
        self.empty = True  # nothing is left, neither process nor orphan
        self._told: set[int] = set()  # groups of orphans that were sent TERM

    def add(self, process: Process) -> None:
        """Look after a process."""
        self.empty = False
        self.processes[process.pid] = process

    def forget(self, process: Process) -> None:
        """Look no more after a process that has ended."""
        if self.processes.get(process.pid) is process:
            del self.processes[process.pid]

    def reap(self) -> list[Process]:
        """Return the processes that ended since the last call, in that order."""
        ended: list[Process] = []
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self.empty = True
                return ended
            if pid == 0:
                return ended
            if process := self.processes.get(pid):
                process.ended(status)
                ended.append(process)
                if descendants.LINUX:
                    self.forget(process)  # the pid may be another's from now on

    def terminate(self) -> None:
        """Send TERM to the group of each process that runs."""
        for process in self._running():
            process.send(signal.SIGTERM)
            # A stopped process would only see it after the grace, with KILL.
            process.send(signal.SIGCONT)
        self.terminate_orphans()

    def terminate_orphans(self) -> None:
        """Send TERM once to each group whose parents have ended.

        What has a running parent is left to that parent: a worker that drains its
        own children would lose their jobs if they were told behind its back.
        """
        mine = {process.pid for process in self._running()}
        orphans = {row.group for row in descendants.children(os.getpid())}
        for group in orphans - mine - self._told - {os.getpgrp()}:
            descendants.send(-group, signal.SIGTERM)
            descendants.send(-group, signal.SIGCONT)
            self._told.add(group)

    def terminate_leftovers(self, process: Process) -> bool:
        """Send TERM once to what an ended process left behind; return if there is any.

        That is what is in its group, or carries its name in DYNO: a daemon that has
        cleared its environment is found at the end of the session only.
        """
        left = self._leftovers(process)
        for group in {row.group for row in left} - self._told - {os.getpgrp()}:
            descendants.send(-group, signal.SIGTERM)
            descendants.send(-group, signal.SIGCONT)
            self._told.add(group)
        if not left:
            self._told.discard(process.pid)  # the number may come again
        return bool(left)

    def kill_one(self, process: Process) -> None:
        """Send KILL to a process and to what it left behind."""
        if process.code is None:
            process.send(signal.SIGKILL)
        for row in self._leftovers(process):
            descendants.send(row.pid, signal.SIGKILL)

    def kill(self) -> None:
        """Send KILL to everything; call it until nothing is left."""
        for process in self._running():
            process.send(signal.SIGKILL)
        descendants.kill_all(os.getpid())

    def _leftovers(self, process: Process) -> list[descendants.Row]:
        mine = {one.pid for one in self._running()}
        return [
            row
            for row in descendants.children(os.getpid())
            if row.pid not in mine
            and row.state not in "ZX"
            and (row.group == process.pid or _is_of(row, process))
        ]

    def _running(self) -> list[Process]:
        # Without adoption a group may outlive its leader unseen: tell them all.
        return [
            process
            for process in self.processes.values()
            if process.code is None or not descendants.LINUX
        ]


def _is_of(row: descendants.Row, process: Process) -> bool:
    return descendants.is_of(row, process.name, process.release)
