"""What docs/states.md says, in plain Python: where each job is, and what is kept of it.

It shares nothing with flow. The machine in ``tests.support.machine`` does the same to
the model and to a real server, and compares the two after each step.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ENDED = ("finished", "failed", "canceled")
CRASHES = 3
LATER = float("inf")  # than any test lasts


@dataclass
class Modelled:
    """A job, as far as the model goes.

    Args:
        id: its id.
        queue: where it waits.
        ttl: whether it may wait for a while only.
        result_ttl: seconds its result is kept.
        once: whether it must not run twice.
        at_front: whether it goes to the front.
        due: when it may run, if it waits for that.

    """

    id: str
    queue: str
    ttl: bool = False
    result_ttl: int = 500
    once: bool = False
    at_front: bool = False
    due: float = 0.0
    status: str = ""
    execution: str = ""  # the one it belongs to, while it is started
    begun: str = ""  # the one that began it, where it must not run twice
    crashes: int = 0
    expires: bool = False  # whether the server will drop it


@dataclass
class Model:
    """All jobs of a server."""

    jobs: dict[str, Modelled] = field(default_factory=dict[str, Modelled])
    suspended: bool = False
    paused: set[str] = field(default_factory=set[str])
    results: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        """Start empty."""
        # With what is left in it of jobs that have gone: a claim drops that.
        self.waiting: dict[str, list[str]] = defaultdict(list)
        self.scheduled: dict[str, dict[str, float]] = defaultdict(dict)  # with when
        self.rooms: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.children: dict[str, set[str]] = defaultdict(set)
        self.parents: dict[str, set[str]] = defaultdict(set)

    def enqueue(self, job: Modelled, parents: Iterable[str]) -> None:
        """Have a new job, or nothing new where its id belongs to one that is active."""
        old = self.jobs.get(job.id)
        if old and old.status not in ENDED:
            return
        if old:
            self.rooms[old.status, old.queue].discard(job.id)
            self.results.discard(job.id)
        waits = {p for p in parents if self.jobs[p].status != "finished"}
        self.jobs[job.id] = job
        job.expires = job.ttl and not waits
        if waits:
            self._move(job, "deferred")
            self.parents[job.id] |= waits
            for parent in waits:
                self.children[parent].add(job.id)
        elif job.due:
            self.put_off(job, job.due)
        else:
            self._push(job, front=job.at_front)

    def claim(self, queues: Sequence[str], free: int) -> list[str]:
        """Take jobs, the next first; the caller says to which executions."""
        taken: list[str] = []
        for queue in () if self.suspended else queues:
            open_ = queue not in self.paused
            while open_ and len(taken) < free and self.waiting[queue]:
                job_id = self.waiting[queue].pop(0)
                job = self.jobs.get(job_id)
                if job and job.status == "queued":
                    job.status, job.expires = "started", False
                    taken.append(job_id)
        return taken

    def held(self) -> dict[str, list[str]]:
        """Return what is started, by queue, with its execution."""
        found: dict[str, list[str]] = defaultdict(list)
        for job in self.jobs.values():
            if job.status == "started":
                found[job.queue].append(f"{job.id}:{job.execution}")
        return found

    def fence(self, job_id: str, execution: str) -> str:
        """Return why this execution may not write; empty when it may."""
        job = self.jobs.get(job_id)
        if job and job.execution == execution:
            return ""
        if job and job.status != "canceled":
            return "lost"
        return "canceled" if job else "deleted"

    def finished(self, job: Modelled, children: Iterable[str]) -> None:
        """Note that it ended well; its children go on in the server's own order."""
        assert set(children) == self.children[job.id]
        self._release(job.id, children)
        if job.result_ttl == 0:
            self._leave(job)
            del self.jobs[job.id]
            return
        self._end(job, "finished")
        self.results.add(job.id)
        job.expires = job.result_ttl > 0

    def failed(self, job: Modelled) -> None:
        self._end(job, "failed")
        self.results.add(job.id)
        job.expires = True

    def discarded(self, job: Modelled) -> None:
        self._end(job, "canceled")
        job.expires = True

    def back(self, job: Modelled, *, front: bool = True) -> None:
        self._leave(job)
        self._push(job, front=front)

    def put_off(self, job: Modelled, due: float = LATER) -> None:
        self._leave(job)
        job.status = "scheduled"
        self.scheduled[job.queue][job.id] = due

    def recover(self, job: Modelled, how: str) -> bool:
        """Return whether it is a dead letter now."""
        if how != "claimed":
            job.crashes += how != "stopped"
            never_again = job.once and job.begun == job.execution
            if never_again or (how != "stopped" and job.crashes >= CRASHES):
                self.failed(job)
                return True
        self.back(job)
        return False

    def cancel(self, job_id: str) -> bool | None:
        job = self.jobs.get(job_id)
        if job is None:
            return None
        if job.status not in ("queued", "scheduled", "deferred"):
            return False
        if job.status == "queued":
            self.waiting[job.queue].remove(job_id)
        self.parents.pop(job_id, None)
        self._end(job, "canceled")
        job.expires = True
        return True

    def promote(self, queues: Sequence[str]) -> int:
        moved = 0
        for queue in queues:
            waiting = self.scheduled[queue]
            due = sorted((at, job_id) for job_id, at in waiting.items() if at < LATER)
            for _, job_id in due:
                del waiting[job_id]
                job = self.jobs.get(job_id)
                if job and job.status == "scheduled" and job.queue == queue:
                    self._push(job, front=job.at_front)
                    moved += 1
        return moved

    def lapse(self, job: Modelled) -> None:
        """Have its ttl pass: the server drops it, whatever else names it."""
        del self.jobs[job.id]

    def _push(self, job: Modelled, *, front: bool) -> None:
        job.status, job.expires = "queued", job.ttl
        self.waiting[job.queue].insert(
            0 if front else len(self.waiting[job.queue]), job.id
        )

    def _move(self, job: Modelled, room: str) -> None:
        job.status = room
        self.rooms[room, job.queue].add(job.id)

    def _leave(self, job: Modelled) -> None:
        if job.status == "scheduled":
            del self.scheduled[job.queue][job.id]
        self.rooms[job.status, job.queue].discard(job.id)
        job.execution = ""

    def _end(self, job: Modelled, room: str) -> None:
        self._leave(job)
        self._move(job, room)

    def _release(self, parent: str, children: Iterable[str]) -> None:
        self.children.pop(parent, None)
        for child_id in children:
            self.parents[child_id].discard(parent)
            child = self.jobs.get(child_id)
            if child and child.status == "deferred" and not self._unmet(child_id):
                self._leave(child)
                self._push(child, front=child.at_front)

    def _unmet(self, child: str) -> bool:
        found = [self.jobs.get(parent) for parent in self.parents[child]]
        return any(job and job.status != "finished" for job in found)
