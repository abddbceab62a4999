"""The kill matrix: who is struck by which signal, while what, with which kind of job.

Each cell has a queue, a worker and one job of its own; a proxy holds the job at the
very instant that the cell is about. The job keeps a ledger of its runs.
"""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import psutil

from flow import keys
from tests.support import hazards
from tests.support.faults import PATIENCE, children, everything, gone, let_go
from tests.support.proxy import proxied
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flow import Job
    from flow.store.client import Store
    from tests.support.faults import Yard
    from tests.support.server import Server

VICTIMS = ("child", "supervisor", "group")
SIGNALS = ("KILL", "TERM", "INT", "STOP")
PHASES = ("claimed", "running", "settling", "settled")
KINDS = ("sync", "thread", "async", "isolated")
AT_ONCE = 12
TOLD = {"thread": ("--threads", "2")}


@dataclass(frozen=True)
class Cell:
    """One cell.

    Args:
        victim: ``child``, ``supervisor``, or ``group``: both, the child first.
        signal: ``STOP`` is followed by CONT.
        phase: the job is ``claimed``, its process does not know yet; ``running``;
            ``settling``: its outcome is on its way; ``settled``: only the answer is.
        kind: what the job is.

    """

    victim: str
    signal: str
    phase: str
    kind: str

    @property
    def name(self) -> str:
        """What its queue, its job and its gate are called."""
        return f"{self.victim}-{self.signal}-{self.phase}-{self.kind}"

    @property
    def runs(self) -> int:
        """How often its job begins: twice only where a kill hit it as it ran."""
        return 2 if (self.signal, self.phase) == ("KILL", "running") else 1

    @property
    def stops(self) -> bool:
        """Whether its worker has to stop by itself, with exit code 0."""
        return self.signal in ("TERM", "INT") and self.victim != "child"

    @property
    def orphaned(self) -> bool:
        """Whether nobody is left to put back what its worker held."""
        return self.signal == "KILL" and self.victim != "child"

    @property
    def crashes(self) -> int:
        """How many crashes its job counts.

        One that was only claimed counts one where nobody is left who knows that.
        """
        claimed = self.phase == "claimed" and self.orphaned
        hit = self.phase == "running" or claimed
        return int(self.signal == "KILL" and hit)


ALL = [Cell(*each) for each in product(VICTIMS, SIGNALS, PHASES, KINDS)]
# Each victim with each signal once, and the other two in turns.
SOME = [
    Cell(victim, number, PHASES[(v + s) % 4], KINDS[(v + 3 * s) % 4])
    for v, victim in enumerate(VICTIMS)
    for s, number in enumerate(SIGNALS)
]


class Case:
    """A cell at work: its worker, its job, and a short one behind that.

    Args:
        cell: which.
        yard: where its worker runs.
        server: where its jobs are.
        ends: ends its worker and its proxy.

    """

    def __init__(
        self, cell: Cell, yard: Yard, server: Server, ends: contextlib.ExitStack
    ) -> None:
        """Start the worker, and enqueue its jobs."""
        self.cell = cell
        self._yard = yard
        self.code = 0  # of its worker, where that has to stop
        self._gate = yard.gate(cell.name)
        socket = yard.folder / f"p{len(list(yard.folder.iterdir()))}"
        self._proxy = ends.enter_context(proxied(server.socket, socket))
        if cell.phase == "claimed":
            self._proxy.hold(self._id, reply=True)
        tasks: dict[str, Any] = {
            "async": hazards.atrace,
            "isolated": hazards.apart_trace,
        }
        task = tasks.get(cell.kind, hazards.trace)
        call = task.options(queue=cell.name, id=self._id)
        self.jobs: list[Job[Any]] = [call.enqueue(yard.ledger, cell.name, self._gate)]
        options = ("--queues", cell.name, "--grace", "60", *TOLD.get(cell.kind, ()))
        self.worker = ends.enter_context(yard.worker(*options, url=self._proxy.url))

    @property
    def _id(self) -> str:
        return f"job-of-{self.cell.name}"

    def arrive(self) -> None:
        """Wait until its job is where the cell is about."""
        phase = self.cell.phase
        if phase != "claimed":
            self._wait(lambda: self.count("begin") == 1, "begin")
        if self.cell.kind == "sync":
            # It is claimed with the outcome before: also by a process that is dead.
            call = hazards.note.options(queue=self.cell.name)
            self.jobs.append(call.enqueue(self._yard.ledger, f"after {self.cell.name}"))
        if phase in ("settling", "settled"):
            self._proxy.hold(self._id, reply=phase == "settled")
            let_go(self._gate)
        if phase != "running":
            self._wait(lambda: self._proxy.holds, phase)

    def strike(self) -> None:
        """Send the signal, and let all that was held go on."""
        ours = children(self.worker)
        # The first took the job; another one is that of an isolated job.
        victims = {"child": ours[:1], "supervisor": [self.worker.pid]}
        struck = victims.get(self.cell.victim) or everything(self.worker)
        number = signal.Signals[f"SIG{self.cell.signal}"]
        for pid in struck:
            os.kill(pid, number)
        if number == signal.SIGKILL:
            for pid in ours:
                gone(pid)  # each ends with the other, and with their supervisor
        elif number == signal.SIGSTOP:
            self._wait(lambda: all(map(_stands, struck)), "standing still")
        self._proxy.let_go()
        let_go(self._gate)
        if number == signal.SIGSTOP:
            for pid in struck:
                os.kill(pid, signal.SIGCONT)

    def ended(self) -> None:
        """Wait for its jobs."""
        for job in self.jobs:
            job.result(2 * PATIENCE)

    def count(self, word: str) -> int:
        """Return how often its job has said that."""
        return self._yard.noted().count(f"{word} {self.cell.name}")

    def judge(self, store: Store) -> list[str]:
        """Return what is wrong with it, now that all has ended."""
        cell = self.cell
        crashes = store.link.command("HGET", keys.job(self._id), "flow_crashes")
        found = {
            "begun": (self.count("begin"), cell.runs),
            "ended": (self.count("end"), 1),
            "after": (self.count("after"), int(cell.kind == "sync")),
            "crashes": (int(crashes or 0), cell.crashes),
            "exit code": (self.code, 0),
        }
        return [
            f"{cell.name}: {what} is {is_} and should be {should}"
            for what, (is_, should) in found.items()
            if is_ != should
        ]

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        wait_until(condition, timeout=PATIENCE, waiting_for=f"{self.cell.name}: {what}")


def _stands(pid: int) -> bool:
    return psutil.Process(pid).status() == psutil.STATUS_STOPPED


def run(cells: Sequence[Cell], yard: Yard, store: Store, server: Server) -> list[str]:
    """Play cells, some at the same time; return what is wrong with their ledgers."""
    cases: list[Case] = []
    for start in range(0, len(cells), AT_ONCE):
        with contextlib.ExitStack() as ends:
            some = [
                Case(cell, yard, server, ends)
                for cell in cells[start : start + AT_ONCE]
            ]
            cases += some
            _play(some)
    queues = ",".join(cell.name for cell in cells)
    with yard.worker("--queues", queues):  # recovers what nobody else has
        for case in cases:
            case.ended()
    return [wrong for case in cases for wrong in case.judge(store)]


def _play(cases: list[Case]) -> None:
    for case in cases:
        case.arrive()
    for case in cases:
        case.strike()
    for case in cases:
        if case.cell.stops:
            case.code = case.worker.wait(PATIENCE)
        elif not case.cell.orphaned:
            case.ended()
