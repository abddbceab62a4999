"""What happened: plain facts that the engine tells whoever listens.

The log is one listener (flow.log puts every event in words); metrics are another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in this process."""


@dataclass(frozen=True, slots=True)
class RoleStarted(Event):
    """A worker or clock is up; ``facts`` says all that it was told, and by whom."""

    role: str
    facts: Sequence[str]


@dataclass(frozen=True, slots=True)
class RoleStopping(Event):
    """A worker or clock was asked to stop, and has ``grace`` seconds for it."""

    role: str
    why: str
    grace: float


@dataclass(frozen=True, slots=True)
class RoleStopped(Event):
    """A worker or clock has stopped."""

    role: str


@dataclass(frozen=True, slots=True)
class JobFinished(Event):
    """A job ended well after ``seconds``."""

    job_id: str
    call: str
    seconds: float


@dataclass(frozen=True, slots=True)
class JobFailed(Event):
    """A job ended with an error and will not run again."""

    job_id: str
    call: str
    error: str


@dataclass(frozen=True, slots=True)
class JobRetried(Event):
    """A job ended with an error and runs again in ``delay`` seconds."""

    job_id: str
    call: str
    error: str
    delay: float


@dataclass(frozen=True, slots=True)
class JobAskedAgain(Event):
    """A job raised or returned ``Retry``; it runs again in ``delay`` seconds."""

    job_id: str
    call: str
    why: str
    delay: float


@dataclass(frozen=True, slots=True)
class JobDiscarded(Event):
    """A job raised ``Discard``: it has ended, and not failed."""

    job_id: str
    call: str
    why: str


@dataclass(frozen=True, slots=True)
class CallbackFailed(Event):
    """What RQ's client had a job call failed itself, and the job is what it was."""

    job_id: str
    kind: str
    error: str


@dataclass(frozen=True, slots=True)
class JobWasStopped(Event):
    """A job was stopped on request while it ran."""

    job_id: str
    call: str


@dataclass(frozen=True, slots=True)
class JobInterrupted(Event):
    """A job was cut off by the worker's stop; it goes back, uncounted."""

    job_id: str
    call: str


@dataclass(frozen=True, slots=True)
class OutcomeRefused(Event):
    """An outcome was not written: the job was canceled, deleted or lost meanwhile."""

    job_id: str
    why: str


@dataclass(frozen=True, slots=True)
class TaskUnknown(Event):
    """Jobs name a task that is not known here; they go back with a delay."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class WorkerQuiet(Event):
    """A worker finishes what it has and takes nothing new."""

    worker: str
    why: str


@dataclass(frozen=True, slots=True)
class WorkerResumed(Event):
    """A worker that was quiet takes jobs again."""


@dataclass(frozen=True, slots=True)
class ProcessDied(Event):
    """A process of the worker died; ``how`` names the signal or exit code."""

    pid: int
    how: str


@dataclass(frozen=True, slots=True)
class IsolatedDied(Event):
    """The process of an isolated job died, or could not be started."""

    job_id: str
    call: str
    how: str


@dataclass(frozen=True, slots=True)
class ProcessRetired(Event):
    """A process of the worker takes nothing new, and another takes its place."""

    pid: int
    why: str


@dataclass(frozen=True, slots=True)
class ProcessKilled(Event):
    """A process was killed because ``jobs`` of its jobs were to end and went on."""

    pid: int
    patience: float
    jobs: int


@dataclass(frozen=True, slots=True)
class StopAsked(Event):
    """Somebody asked for the end of a job that this worker holds."""

    job_id: str


@dataclass(frozen=True, slots=True)
class CommandIgnored(Event):
    """Somebody asked for something that cannot be done here."""

    command: str
    why: str


@dataclass(frozen=True, slots=True)
class ThreadsFound(Event):
    """The app started threads while it was imported; a fork leaves them behind."""

    names: Sequence[str]


@dataclass(frozen=True, slots=True)
class JobsRecovered(Event):
    """What a dead process held went back, or is among the dead letters."""

    process: str
    back: Sequence[str]
    dead: Sequence[str]


@dataclass(frozen=True, slots=True)
class OutcomesForgotten(Event):
    """Redis has lost outcomes that it had: these jobs run again, or fail."""

    back: Sequence[str]
    dead: Sequence[str]


@dataclass(frozen=True, slots=True)
class ServerAway(Event):
    """The Redis does not answer; it is tried again until it does."""

    error: str


@dataclass(frozen=True, slots=True)
class ServerBack(Event):
    """The Redis answers again after ``seconds``."""

    seconds: float


@dataclass(frozen=True, slots=True)
class MasterFound(Event):
    """Sentinels told where a master is; ``before`` is where it was, if it has moved."""

    name: str
    place: str
    before: str


@dataclass(frozen=True, slots=True)
class LeaderChanged(Event):
    """Another clock leads now, or this one does."""

    leader: str
    mine: bool


@dataclass(frozen=True, slots=True)
class TickFired(Event):
    """A schedule enqueued its job, ``late`` seconds after the tick."""

    schedule: str
    late: float


@dataclass(frozen=True, slots=True)
class TicksFired(Event):
    """Many schedules enqueued their jobs at once, the latest ``late`` seconds after."""

    count: int
    late: float


@dataclass(frozen=True, slots=True)
class ZonesChanged(Event):
    """The time zone data was swapped while this clock runs, which uses it now."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class SchedulesReplanned(Event):
    """By newer time zone data, schedules have another next tick."""

    schedules: Sequence[str]
    version: str


@dataclass(frozen=True, slots=True)
class SchedulesRestored(Event):
    """Schedules had been lost from those that come next, and are there again."""

    count: int


@dataclass(frozen=True, slots=True)
class TicksSkipped(Event):
    """Ticks of a schedule were left out; the ledger has them."""

    schedule: str
    count: int
    reason: str


@dataclass(frozen=True, slots=True)
class SchedulesDeclared(Event):
    """The app's schedules are what this release declares."""

    added: Sequence[str]
    changed: Sequence[str]
    removed: Sequence[str]


@dataclass(frozen=True, slots=True)
class ReleaseOutdated(Event):
    """A newer release declared its schedules; this one leaves them alone."""

    ours: int
    standing: int


@dataclass(frozen=True, slots=True)
class ClockJumped(Event):
    """The server's clock jumped by ``seconds``; nothing is enqueued by it yet."""

    seconds: float
    hold: float


@dataclass(frozen=True, slots=True)
class ClockAccepted(Event):
    """The server's time is believed again, ``seconds`` from where it was."""

    seconds: float


@dataclass(frozen=True, slots=True)
class DataWentBack(Event):
    """Redis holds less than it once answered: a stale replica, or a lost log."""

    calls: int


@dataclass(frozen=True, slots=True)
class PromotionLeft(Event):
    """Another scheduler promotes the delayed jobs of these queues."""

    queues: Sequence[str]


@dataclass(frozen=True, slots=True)
class AdoptionLeft(Event):
    """A scheduler of rq-scheduler holds the lock of its entries."""


@dataclass(frozen=True, slots=True)
class ScheduleUnreadable(Event):
    """A schedule that another release wrote cannot be read by this one."""

    schedule: str
    error: str


@dataclass(frozen=True, slots=True)
class JobOrphaned(Event):
    """A job waited for others that are gone; it failed, or runs all the same."""

    job_id: str
    failed: bool


@dataclass(frozen=True, slots=True)
class QueuesUnserved(Event):
    """Jobs wait in queues that no live worker serves."""

    queues: Sequence[str]


@dataclass(frozen=True, slots=True)
class UpkeepFailed(Event):
    """A part of the upkeep failed; it is done again at its next turn."""

    part: str
    error: str


Listener = "Callable[[Event], None]"
_listeners: list[Callable[[Sequence[Event]], None]] = []


def listen(listener: Callable[[Sequence[Event]], None]) -> None:
    """Tell ``listener`` everything that happens from now on."""
    if listener not in _listeners:
        _listeners.append(listener)


def emit(*happened: Event) -> None:
    """Tell all listeners what happened, the first thing first."""
    for listener in _listeners:
        listener(happened)
