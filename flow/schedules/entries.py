"""From what an app declares, or upserts, to what the timetable keeps."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from flow import codec
from flow.schedules.rules import (
    check_jitter,
    delay,
    following,
    policy_text,
    recurrence,
)
from flow.store.entry import Entry, Rule
from flow.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flow.codec import Field
    from flow.record import JobRecord
    from flow.registry import Declaration, Policy, Schedule

# What a tick sets itself, or what makes no two enqueues alike.
NOT_KEPT = ("created_at", "enqueued_at")


def declared(declarations: Iterable[Declaration], now: int) -> list[Entry]:
    """Return the entries of all declared schedules.

    Args:
        declarations: the app's tasks.
        now: ms since 1970, the server's; new schedules begin after it.
    """
    return [
        entry(
            schedule_id(declaration, schedule),
            Rule(schedule.kind, schedule.spec, schedule.tz or "", schedule.dst),
            schedule.policy,
            Task[..., object, object](declaration).record(
                schedule.args, schedule.kwargs
            ),
            now,
        )
        for declaration in declarations
        for schedule in declaration.schedules
    ]


def entry(
    schedule: str, rule: Rule, policy: Policy, record: JobRecord, now: int
) -> Entry:
    """Return a schedule as it is stored.

    Raises:
        InvalidSchedule: its rule or its policy cannot be.
    """
    job = job_fields(record)
    return entry_of(schedule, rule, policy, job, now)


def entry_of(
    schedule: str, rule: Rule, policy: Policy, job: Mapping[str, Field], now: int
) -> Entry:
    """Return a schedule whose job has these fields, as it is stored.

    Raises:
        InvalidSchedule: its rule or its policy cannot be.
    """
    steps = recurrence(rule, schedule)
    check_jitter(steps, policy.jitter, now)
    first = following(steps, now) or now
    text = policy_text(policy)
    parts = repr((rule.print, text, sorted(job.items())))
    return Entry(
        id=schedule,
        revision=hashlib.sha256(parts.encode()).hexdigest()[:16],
        rule=rule,
        policy=text,
        overlap=policy.overlap,
        first=first,
        wake=first + delay(schedule, first, policy.jitter),
        title=str(job.get("description", schedule)),
        job=job,
    )


def job_fields(record: JobRecord) -> dict[str, Field]:
    """Return the fields of the job that each tick enqueues."""
    flat = codec.fields(record, 0.0)
    pairs = zip(flat[::2], flat[1::2], strict=True)
    return {str(name): value for name, value in pairs if name not in NOT_KEPT}


def fingerprint(entries: Iterable[Entry]) -> str:
    """Return what tells this set of schedules from any other."""
    parts = sorted((one.id, one.revision) for one in entries)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def schedule_id(declaration: Declaration, schedule: Schedule) -> str:
    """Return the schedule's id: its task, and what tells it from its siblings."""
    base = slug(declaration.path)
    if schedule.name:
        return f"{base}-{slug(schedule.name)}"
    unnamed = [one for one in declaration.schedules if not one.name]
    if len(unnamed) == 1:
        return base
    call = (schedule.args, tuple(sorted(schedule.kwargs.items())))
    own = repr((schedule.kind, schedule.spec, schedule.tz, call))
    return f"{base}-{hashlib.sha256(own.encode()).hexdigest()[:6]}"


def slug(text: str) -> str:
    """Return ``text`` in the signs that RQ allows in a job's id."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text)
