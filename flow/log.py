"""The log: every event in words; no other module holds a log sentence."""

from __future__ import annotations

import logging
import sys
from functools import singledispatch

from flow import events
from flow.events import emit as emit  # noqa: PLC0414 - what the engine imports

logger = logging.getLogger("flow")


def set_up(level: str = "info") -> None:
    """Write what happens to stderr, one line an event.

    Args:
        level: ``debug``, ``info``, ``warning`` or ``error``.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logger.handlers = [handler]
    logger.propagate = False
    logger.setLevel(level.upper())
    events.listen(write)


def write(event: events.Event) -> None:
    """Log one event."""
    level, sentence = words(event)
    if logger.isEnabledFor(level):
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
def _(event: events.ProcessDied) -> tuple[int, str]:
    return logging.ERROR, f"process {event.pid} died: {event.how}"


@words.register
def _(event: events.JobsRecovered) -> tuple[int, str]:
    sentence = f"recovered from process {event.process}: {len(event.back)} put back"
    if event.dead:
        sentence += f", {len(event.dead)} failed ({', '.join(event.dead[:5])})"
    return logging.WARNING, sentence


@words.register
def _(event: events.ServerAway) -> tuple[int, str]:
    return logging.WARNING, f"waiting for Redis: {event.error}"


@words.register
def _(event: events.ServerBack) -> tuple[int, str]:
    return logging.WARNING, f"Redis is back after {event.seconds:.1f} s"


@words.register
def _(event: events.LeaderChanged) -> tuple[int, str]:
    if event.mine:
        return logging.INFO, "this clock leads"
    return logging.INFO, f"standing by; {event.leader} leads"


@words.register
def _(event: events.TickFired) -> tuple[int, str]:
    sentence = f"tick of {event.schedule}, {event.late * 1000:.0f} ms late"
    if event.skipped:
        sentence += f"; at least {event.skipped} missed ticks before it are left out"
    return logging.INFO, sentence


@words.register
def _(event: events.ScheduleUnreadable) -> tuple[int, str]:
    return logging.ERROR, f"schedule {event.schedule} stands still: {event.error}"


@words.register
def _(event: events.QueuesUnserved) -> tuple[int, str]:
    return logging.WARNING, (
        f"jobs wait in {', '.join(event.queues)}, which no worker serves; "
        "start one with --queues, or name them in [tool.flow] queues"
    )


@words.register
def _(event: events.UpkeepFailed) -> tuple[int, str]:
    return logging.ERROR, f"{event.part} failed and is tried again: {event.error}"
