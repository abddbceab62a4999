"""What was sent and what ran, and whether that is right."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from flow.store.client import Store

# Of each job that is kept: its call (with its serial), status, crashes.
JOBS = """
local found = {}
for _, key in ipairs(redis.call('KEYS', 'rq:job:*')) do
  if redis.call('TYPE', key).ok == 'hash' then
    local fields = { 'description', 'status', 'flow_crashes' }
    found[#found + 1] = redis.call('HMGET', key, unpack(fields))
  end
end
return found
"""
CRASHES = 3


@dataclass
class Ledger:
    """All that was written.

    Args:
        tried: serials that may have been sent.
        sure: those that were.
        begun: of each serial the processes that began it, in order.
        ended: of each serial the processes that ended it.
        killed: the processes that were killed; noted before each kill.
        doubled: what ran again although nobody had killed who ran it before.

    """

    tried: set[int] = field(default_factory=set[int])
    sure: set[int] = field(default_factory=set[int])
    begun: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    ended: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    killed: set[int] = field(default_factory=set[int])
    doubled: list[str] = field(default_factory=list[str])

    def note(self, word: str, serial: int, pid: int) -> None:
        """Take in a line of the jobs, in their order."""
        if word == "kill":
            self.killed.add(pid)
        elif word == "end":
            self.ended[serial].append(pid)
        else:
            innocent = set(self.begun[serial]) - self.killed
            if innocent:
                self.doubled.append(f"job {serial} ran again after {sorted(innocent)}")
            self.begun[serial].append(pid)

    @property
    def reruns(self) -> int:
        """How many runs were repeated because a kill had cut them off."""
        return sum(len(pids) - 1 for pids in self.begun.values())

    def problems(self, store: Store) -> list[str]:
        """Return what is wrong."""
        jobs = _jobs(store)
        lost = sorted(self.sure - {serial for serial, *_ in jobs})
        return [
            *(f"job {serial} is lost" for serial in lost),
            *(wrong for job in jobs for wrong in self._of(*job)),
            *self.doubled,
        ]

    def _of(self, serial: int, call: str, status: str, crashes: int) -> list[str]:
        found: list[str] = []
        if serial not in self.tried:
            found.append(f"job {serial} was never sent")
        fails = crashes >= CRASHES or (call == "once" and crashes > 0)
        if status != "finished" and not (status == "failed" and fails):
            found.append(f"job {serial}, {call}, is {status} after {crashes} crashes")
        if status == "finished" and not self.ended[serial]:
            found.append(f"job {serial} is finished and never ended")
        if call == "once" and len(self.begun[serial]) > 1:
            found.append(f"job {serial} must not run twice and did")
        return found


def read(folder: Path) -> Ledger:
    """Return what a run has written in its folder so far."""
    ledger = Ledger()
    for journal in folder.glob("journal-*"):
        for line in _lines(journal):
            word, at, many = line.split()
            serials = range(int(at), int(at) + int(many))
            (ledger.sure if word == "sure" else ledger.tried).update(serials)
    for line in _lines(folder / "ledger"):
        word, serial, pid = line.split()
        ledger.note(word, int(serial), int(pid))
    return ledger


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _jobs(store: Store) -> list[tuple[int, str, str, int]]:
    """Return each job's serial, task, status and crashes."""
    found: list[tuple[int, str, str, int]] = []
    for described, status, crashes in store.link.command("EVAL", JOBS, 0):
        path, _, args = described.decode().partition("(")
        serial = int(args.rstrip(")").partition(",")[0])
        call = path.rpartition(".")[2]
        found.append((serial, call, status.decode(), int(crashes or 0)))
    return found
