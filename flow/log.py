"""The log: every event in words; no other module holds a log sentence."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from functools import singledispatch
from typing import TYPE_CHECKING, TextIO

from flow import events
from flow.events import emit as emit  # noqa: PLC0414 - what the engine imports

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

logger = logging.getLogger("flow")
NAMED = 10  # of many names, so many stand in a sentence


class Lines(logging.StreamHandler[TextIO]):
    """Writes a line an event: the time of day and the sentence.

    There is a line for every job, and it must cost next to nothing: the time is put in
    words once a second, and events do not pass through a LogRecord.
    """

    def __init__(self) -> None:
        """Write to stderr."""
        super().__init__(sys.stderr)
        self._second, self._stamp = 0, ""
        self.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))

    def say(self, sentences: Iterable[str]) -> None:
        """Write a line for each, all in one go."""
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._stamp = time.strftime("%H:%M:%S", time.localtime(second))
        lines = "".join([f"{self._stamp} {sentence}\n" for sentence in sentences])
        with self.lock or contextlib.nullcontext():
            self.stream.write(lines)
            self.stream.flush()


def set_up(level: str = "info") -> None:
    """Write what happens to stderr, one line an event.

    Args:
        level: ``debug``, ``info``, ``warning`` or ``error``.
    """
    logger.handlers = [Lines()]
    logger.propagate = False
    logger.setLevel(level.upper())
    events.listen(write)


def write(happened: Sequence[events.Event]) -> None:
    """Log events; by way of the logger where somebody else handles it."""
    told = [words(event) for event in happened]
    if len(logger.handlers) == 1 and isinstance(lines := logger.handlers[0], Lines):
        enabled = [said for level, said in told if logger.isEnabledFor(level)]
        if enabled:
            lines.say(enabled)
        return
    for level, sentence in told:
        logger.log(level, "%s", sentence)


@singledispatch
def words(event: events.Event) -> tuple[int, str]:
    """Return an event's level and sentence."""
    return logging.INFO, repr(event)


@words.register
def _(event: events.RoleStarted) -> tuple[int, str]:
    return logging.INFO, f"{event.role} is up: " + "; ".join(event.facts)


@words.register
def _(event: events.RoleStopping) -> tuple[int, str]:
    return logging.INFO, (
        f"{event.role} stops ({event.why}): what runs has {event.grace:g} s to end"
    )


@words.register
def _(event: events.RoleStopped) -> tuple[int, str]:
    return logging.INFO, f"{event.role} has stopped"


@words.register
def _(event: events.JobFinished) -> tuple[int, str]:
    return logging.INFO, f"done in {event.seconds * 1000:.1f} ms: {event.call}"


@words.register
def _(event: events.JobFailed) -> tuple[int, str]:
    return logging.ERROR, f"failed: {event.call}: {event.error} (job {event.job_id})"


@words.register
def _(event: events.JobRetried) -> tuple[int, str]:
    return logging.WARNING, (
        f"failed, again in {event.delay:.1f} s: {event.call}: {event.error} "
        f"(job {event.job_id})"
    )


@words.register
def _(event: events.JobAskedAgain) -> tuple[int, str]:
    return logging.INFO, (
        f"again in {event.delay:.1f} s: {event.call}: {event.why} (job {event.job_id})"
    )


@words.register
def _(event: events.JobDiscarded) -> tuple[int, str]:
    why = f": {event.why}" if event.why else ""
    return logging.INFO, f"discarded: {event.call}{why} (job {event.job_id})"


@words.register
def _(event: events.CallbackFailed) -> tuple[int, str]:
    return logging.ERROR, (f"a {event.kind} failed: {event.error} (job {event.job_id})")


@words.register
def _(event: events.JobWasStopped) -> tuple[int, str]:
    return logging.WARNING, f"stopped: {event.call} (job {event.job_id})"


@words.register
def _(event: events.JobInterrupted) -> tuple[int, str]:
    return logging.WARNING, (
        f"interrupted by the stop, goes back: {event.call} (job {event.job_id})"
    )


@words.register
def _(event: events.OutcomeRefused) -> tuple[int, str]:
    return logging.WARNING, (
        f"the outcome of job {event.job_id} was not written: "
        f"meanwhile it was {event.why}"
    )


@words.register
def _(event: events.TaskUnknown) -> tuple[int, str]:
    return logging.WARNING, (
        f"no task {event.name!r} here ({event.why}); its jobs go back with a delay, "
        "because a deployment may be under way"
    )


@words.register
def _(event: events.WorkerQuiet) -> tuple[int, str]:
    return logging.WARNING, (
        f"worker is quiet ({event.why}): what runs goes on, nothing new is taken; "
        f"flow workers resume {event.worker}"
    )


@words.register
def _(_event: events.WorkerResumed) -> tuple[int, str]:
    return logging.WARNING, "worker takes jobs again"


@words.register
def _(event: events.ProcessDied) -> tuple[int, str]:
    return logging.ERROR, f"process {event.pid} died: {event.how}"


@words.register
def _(event: events.IsolatedDied) -> tuple[int, str]:
    return logging.ERROR, (
        f"the process of {event.call} died: {event.how} (job {event.job_id})"
    )


@words.register
def _(event: events.ProcessRetired) -> tuple[int, str]:
    return logging.INFO, (
        f"process {event.pid} is replaced: {event.why}; what it runs may end"
    )


@words.register
def _(event: events.ProcessKilled) -> tuple[int, str]:
    jobs = "a job" if event.jobs == 1 else f"{event.jobs} jobs"
    return logging.ERROR, (
        f"process {event.pid} is killed: {jobs} went on for {event.patience:g} s "
        "after the timeout or a stop"
    )


@words.register
def _(event: events.ThreadsFound) -> tuple[int, str]:
    return logging.WARNING, (
        f"the app started threads while it was imported: {', '.join(event.names)}; "
        "they do not run in the worker's processes, and a lock that one holds at the "
        "fork stays locked there; start them when they are first needed, or have the "
        "processes spawned (--start-method spawn)"
    )


@words.register
def _(event: events.StopAsked) -> tuple[int, str]:
    return logging.INFO, f"job {event.job_id} is to be stopped"


@words.register
def _(event: events.CommandIgnored) -> tuple[int, str]:
    return logging.WARNING, f"{event.command}: ignored, {event.why}"


@words.register
def _(event: events.JobsRecovered) -> tuple[int, str]:
    sentence = f"recovered from process {event.process}: {len(event.back)} put back"
    if event.dead:
        sentence += f", {len(event.dead)} failed ({', '.join(event.dead[:5])})"
    return logging.WARNING, sentence


@words.register
def _(event: events.OutcomesForgotten) -> tuple[int, str]:
    sentence = (
        f"Redis has lost outcomes that it had: {len(event.back)} jobs run again "
        f"({', '.join(event.back[:5])})"
    )
    if event.dead:
        sentence += f", {len(event.dead)} failed ({', '.join(event.dead[:5])})"
    return logging.ERROR, sentence


@words.register
def _(event: events.ServerAway) -> tuple[int, str]:
    return logging.WARNING, f"waiting for Redis: {event.error}"


@words.register
def _(event: events.ServerBack) -> tuple[int, str]:
    return logging.WARNING, f"Redis is back after {event.seconds:.1f} s"


@words.register
def _(event: events.MasterFound) -> tuple[int, str]:
    if event.before:
        moved = f"master {event.name} is at {event.place} now, it was {event.before}"
        return logging.WARNING, moved
    return logging.INFO, f"master {event.name} is at {event.place}"


@words.register
def _(event: events.LeaderChanged) -> tuple[int, str]:
    if event.mine:
        return logging.INFO, "this clock leads"
    return logging.INFO, f"standing by; {event.leader} leads"


@words.register
def _(event: events.TickFired) -> tuple[int, str]:
    return logging.INFO, f"tick of {event.schedule}, {event.late * 1000:.0f} ms late"


@words.register
def _(event: events.TicksFired) -> tuple[int, str]:
    return logging.INFO, f"{event.count} ticks, up to {event.late * 1000:.0f} ms late"


@words.register
def _(event: events.ZonesChanged) -> tuple[int, str]:
    return logging.WARNING, (
        f"the time zone data changed from {event.before} to {event.after}, which is "
        "used from now on"
    )


@words.register
def _(event: events.SchedulesReplanned) -> tuple[int, str]:
    return logging.WARNING, (
        f"planned anew by the time zones of {event.version}: "
        f"{', '.join(event.schedules)}"
    )


@words.register
def _(event: events.SchedulesRestored) -> tuple[int, str]:
    lost = "schedule was" if event.count == 1 else "schedules were"
    return logging.WARNING, (
        f"{event.count} {lost} lost from those that come next, by another's hand: "
        "planned anew, each from where it stands"
    )


@words.register
def _(event: events.TicksSkipped) -> tuple[int, str]:
    ticks = "tick" if event.count == 1 else "ticks"
    return logging.WARNING, (
        f"{event.count} {ticks} of {event.schedule} left out: {event.reason}"
    )


@words.register
def _(event: events.SchedulesDeclared) -> tuple[int, str]:
    parts = ("added", event.added), ("changed", event.changed)
    told = (*parts, ("removed", event.removed))
    words = [f"{verb} {', '.join(ids)}" for verb, ids in told if ids]
    return logging.INFO, f"schedules: {'; '.join(words) or 'as they were'}"


@words.register
def _(event: events.ReleaseOutdated) -> tuple[int, str]:
    return logging.WARNING, (
        f"release {event.standing} declared the schedules, which is newer than "
        f"{event.ours}: they are left as they are"
    )


@words.register
def _(event: events.ClockJumped) -> tuple[int, str]:
    return logging.ERROR, (
        f"the server's clock jumped by {event.seconds:+.0f} s: nothing is enqueued "
        f"until it is back, or for {event.hold:.0f} s; restart the clock to believe it"
    )


@words.register
def _(event: events.ClockAccepted) -> tuple[int, str]:
    if not event.seconds:
        return logging.WARNING, "the server's clock is right again"
    return logging.WARNING, (
        f"the server's clock stayed {event.seconds:+.0f} s from where it was, "
        "and is believed now"
    )


@words.register
def _(event: events.DataWentBack) -> tuple[int, str]:
    return logging.ERROR, (
        f"Redis has forgotten {event.calls} calls that it had answered (a stale "
        "replica, a lost log, or it was emptied): schedules are declared again, and "
        "each does what its on_data_loss says"
    )


@words.register
def _(event: events.PromotionLeft) -> tuple[int, str]:
    return logging.INFO, (
        f"delayed jobs of {', '.join(event.queues)} are left to the scheduler of RQ "
        "that holds their lock"
    )


@words.register
def _(_event: events.AdoptionLeft) -> tuple[int, str]:
    return logging.INFO, (
        "entries of rq-scheduler are left to the rqscheduler that holds their lock"
    )


@words.register
def _(event: events.ScheduleUnreadable) -> tuple[int, str]:
    return logging.ERROR, f"schedule {event.schedule} stands still: {event.error}"


@words.register
def _(event: events.JobOrphaned) -> tuple[int, str]:
    became = "is a dead letter" if event.failed else "runs all the same"
    return logging.WARNING, (
        f"job {event.job_id} {became}: the jobs that it waited for are gone"
    )


@words.register
def _(event: events.QueuesUnserved) -> tuple[int, str]:
    return logging.WARNING, (
        f"jobs wait in {_some(event.queues)}, which no worker serves; "
        "start one with --queues, or name them in [tool.flow] queues"
    )


@words.register
def _(event: events.UpkeepFailed) -> tuple[int, str]:
    return logging.ERROR, f"{event.part} failed and is tried again: {event.error}"


def _some(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more:,} more" if more > 0 else "")
