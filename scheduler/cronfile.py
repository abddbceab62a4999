"""Files written for ``rq cron``: what they register becomes schedules of the app."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from flow.errors import AppError
from flow.record import Invocation, JobRecord
from flow.registry import Policy
from flow.scheduler.localtime import local_zone
from flow.scheduler.rq import cron_jobs, seconds
from flow.schedules.entries import entry_of, job_fields, slug
from flow.store.entry import Rule

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from flow.store.entry import Entry

SIX = 6  # fields of an expression with seconds


def entries(paths: Sequence[str], now: int, taken: Collection[str] = ()) -> list[Entry]:
    """Return the schedules that the files register.

    Args:
        paths: files, or modules, as ``rq cron`` takes them.
        now: ms since 1970; schedules begin after it.
        taken: ids that the app's own schedules have.

    Raises:
        AppError: a file is missing, or fails.
        InvalidSchedule: what it registers cannot be.
    """
    found: dict[str, Entry] = {}
    for path in paths:
        for job in _loaded(path):
            made = _entry(job, now, [*taken, *found])
            found[made.id] = made
    return list(found.values())


class Complaints(logging.Handler):
    """Keeps what rq only logs: a registration that it could not read."""

    def __init__(self) -> None:
        """Keep errors alone; the clock says itself what it declares."""
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        reason = record.exc_info[1] if record.exc_info else record.getMessage()
        self.heard.append(str(reason))


def _loaded(path: str) -> list[Any]:
    complaints = Complaints()
    logger = logging.getLogger("rq.cron")
    logger.handlers, logger.propagate = [complaints], False
    try:
        jobs = cron_jobs(path)
    except Exception as error:  # the file is the user's code: anything may happen
        raise AppError(f"the cron file {path!r} cannot be used: {error}") from error
    if complaints.heard:
        raise AppError(f"the cron file {path!r} cannot be used: {complaints.heard[0]}")
    return jobs


def _entry(job: Any, now: int, others: Collection[str]) -> Entry:  # noqa: ANN401 - rq's CronJob
    name = slug(job.name)
    number = sum(one == name or one.startswith(f"{name}--") for one in others)
    schedule = f"{name}--{number + 1}" if number else name
    return entry_of(schedule, _rule(job), Policy(), _fields(schedule, job), now)


def _rule(job: Any) -> Rule:  # noqa: ANN401 - rq's CronJob
    if job.cron:
        # rq cron follows the machine's wall clock since RQ 3.
        return Rule("cron", _expression(job.cron), str(local_zone()))
    return Rule("every", f"{float(job.interval):.15g}")


def _expression(text: str) -> str:
    fields = text.split()
    # There, as croniter has it, a sixth field is the seconds; here they come first.
    return " ".join([fields[-1], *fields[:-1]]) if len(fields) == SIX else text


def _fields(schedule: str, job: Any) -> dict[str, Any]:  # noqa: ANN401 - rq's CronJob
    chosen = job.job_options
    record = JobRecord(
        schedule,
        Invocation(job.func_name, tuple(job.args), job.kwargs),
        job.queue_name,
        timeout=seconds(chosen.get("job_timeout")),
        result_ttl=chosen.get("result_ttl"),
        ttl=chosen.get("ttl"),
        failure_ttl=chosen.get("failure_ttl"),
        meta=chosen.get("meta"),
    )
    fields: dict[str, Any] = job_fields(record)
    if webhooks := chosen.get("webhooks"):
        fields["webhooks"] = json.dumps([webhook.to_dict() for webhook in webhooks])
    return fields
