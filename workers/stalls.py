"""Stalls: what stands behind a job that keeps the interpreter to itself is taken back.

No thread of its process can run then: neither what was claimed behind the job nor the
outcomes of those before it would leave before it ends. The supervisor sees in shared
memory that a process does not go on, and does both in its place. See decision 41.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flow.record import Claim
from flow.service import Service
from flow.workers.board import SETTLED, number
from flow.workers.outbox import EXECUTION

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from flow.store.client import Store
    from flow.workers.board import Part
    from flow.workers.outbox import Packed
    from flow.workers.process import Process
    from flow.workers.settler import Settler

AGAIN = 0.012  # seconds between two looks while something is claimed and not begun
STALLED = 0.023  # seconds without progress: a process's own thread needs 15 of them


@dataclass(slots=True)
class Sight:
    """What was seen of a process.

    Args:
        progress: all that it showed when it was last seen to go on.
        since: monotonic seconds when that was.
        asked: whether the server has answered since.
        back: up to which execution all that had not begun was put back.
        sent: the executions whose outcomes were sent in its place.
    """

    progress: bytes = b""
    since: float = 0.0
    asked: bool = False
    back: int = 0
    sent: frozenset[int] = frozenset()


class Stalls(Service):
    """Relieves processes that stand still.

    Args:
        store: where the jobs are.
        settler: sends outcomes.
        queues: what it serves.
        processes: those that live.
        monotonic: the clock.
    """

    interval = 1.0

    def __init__(
        self,
        store: Store,
        settler: Settler,
        queues: Sequence[str],
        processes: Callable[[], Collection[Process]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Have seen nothing yet."""
        self._store = store
        self._settler = settler
        self._queues = queues
        self._processes = processes
        self._monotonic = monotonic
        self._seen: dict[str, Sight] = {}
        self._away = False

    def unsent(self, process: Process) -> list[Packed]:
        """Return the outcomes of a dead process that nobody has sent, oldest first."""
        sent = self._seen.get(process.name, Sight()).sent
        unsent = process.part.outbox.unsent()
        return [packed for packed in unsent if number(packed[EXECUTION]) not in sent]

    def run_once(self) -> float | None:
        """Look once; soon again while anything could stand still."""
        processes = list(self._processes())
        names = [process.name for process in processes]
        self._seen = {name: self._seen.get(name, Sight()) for name in names}
        if self._away:
            # A turn that asks nothing must not pass for one that was answered.
            self._store.link.command("PING")
        self._away = True
        again = [self._look(one, self._seen[one.name]) for one in processes]
        self._away = False
        return AGAIN if any(again) else None

    def _look(self, process: Process, seen: Sight) -> bool:
        """Relieve a process if it stands still; say whether to look again soon."""
        progress, now = process.part.progress(), self._monotonic()
        if seen.progress != progress:
            seen.progress, seen.since, seen.asked = progress, now, False
            return True
        unsent = process.part.unsent()
        if unsent is None:
            return True  # it is writing just now, so it does not stand still
        if process.part.running() <= unsent.keys():
            return False  # nothing runs: it is idle, or waits for the server
        if not _behind(process.part, seen) and unsent.keys() <= seen.sent:
            return False
        if now - seen.since < STALLED or not seen.asked:
            # It may wait for the server: then its answer comes before this one.
            seen.asked = bool(self._store.link.command("PING"))
            return True
        self._send(process.part, seen, unsent)
        if _behind(process.part, seen):
            self._withdraw(process, seen, unsent)
        return True

    def _send(self, part: Part, seen: Sight, unsent: dict[int, Packed]) -> None:
        """Send what ended before, unless that was done."""
        new = sorted(unsent.keys() - seen.sent)[:SETTLED]
        if not new:
            return
        # First: the process will be refused them, and must know why.
        part.settled.keep(new)
        self._settler.settle([unsent[one] for one in new])
        seen.sent = seen.sent.union(new) & unsent.keys()

    def _withdraw(
        self, process: Process, seen: Sight, unsent: dict[int, Packed]
    ) -> None:
        """Put back what has not begun."""
        part, last = process.part, process.part.claimed
        # It stays so if what follows fails: what the process drops it puts back itself.
        part.withdraw(last)
        held = self._store.held(self._queues)
        mine = [one for one in held if one.process == process.name]
        # Only after that answer: what had begun before is shown by now.
        begun = {*part.running(), *unsent, part.loading()}
        back = [one for one in mine if one.number <= last and one.number not in begun]
        if back:
            back.sort(key=lambda one: one.number)
            claims = [Claim(one.queue, one.job_id, one.execution, None) for one in back]
            self._store.unclaim(claims)
        seen.back = last


def _behind(part: Part, seen: Sight) -> bool:
    """Return whether anything is claimed, has not begun and was not put back."""
    return part.claimed > max(seen.back, *part.running(), 0)
