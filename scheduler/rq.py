"""rq-scheduler's shape on flow's safety: the same class, keys and calls.

    from flow.scheduler import Scheduler  # instead of rq_scheduler

``flow clock`` serves its entries too, whichever class made them. What differs from
rq-scheduler, on purpose, is in docs/from-rq-scheduler.md.
"""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from redis import Redis, WatchError
from rq.cron import CronScheduler
from rq.serializers import DefaultSerializer
from rq.utils import parse_timeout

from flow.errors import InvalidSchedule
from flow.recurrence import Cron
from flow.scheduler.localtime import local_zone
from flow.schedules.rules import to_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    class RqScheduler:
        """What of rq-scheduler's class, which has no types, is used here."""

        name: str
        connection: Any
        log: Any
        scheduler_lock_key: str
        scheduled_jobs_key: str
        _interval: float
        _lock_acquired: bool

        def __init__(self, *args: object, **kwargs: object) -> None:
            """Take rq-scheduler's arguments."""

        def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - it has no types
            """Have all that rq-scheduler's class has."""

        def cron(self, *args: object, **kwargs: object) -> Any:  # noqa: ANN401 - likewise
            """Schedule a job by an expression."""

    get_next_scheduled_time: Callable[..., datetime]
    to_unix: Callable[[datetime], int]
else:
    from rq_scheduler import Scheduler as RqScheduler
    from rq_scheduler.utils import get_next_scheduled_time, to_unix

YEAR = 6  # fields of an expression of rq-scheduler whose last one is the year
RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
"""


class Scheduler(RqScheduler):
    """rq-scheduler's Scheduler, which loses no schedule and no foreign lock."""

    def acquire_lock(self) -> bool:
        """Take the lock, under our own name; return whether we have it."""
        self._lock = f"{self.name}:{time.time()}"
        expires = int(self._interval) + 10
        taken = self.connection.set(
            self.scheduler_lock_key, self._lock, ex=expires, nx=True
        )
        self._lock_acquired = bool(taken)
        return self._lock_acquired

    def remove_lock(self) -> None:
        """Give the lock back, unless it is another's by now."""
        if self._lock_acquired:
            self.connection.eval(RELEASE, 1, self.scheduler_lock_key, self._lock)
            self._lock_acquired = False

    def cron(self, *args: object, **kwargs: object) -> Any:  # noqa: ANN401 - as rq-scheduler has it
        """As rq-scheduler's; ``use_local_timezone`` has its effect."""
        job = super().cron(*args, **kwargs)
        now = time.time()
        score = following(job.meta, now, now)
        if score is not None:
            self.connection.zadd(self.scheduled_jobs_key, {job.id: score})
        return job

    def enqueue_job(self, job: Any) -> None:  # noqa: ANN401 - an rq Job
        """Move a job to its queue and its entry to the next time, in one step."""
        self.log.debug("Pushing %s(%s) to %s", job.func_name, job.id, job.origin)
        first = self.connection.zscore(self.scheduled_jobs_key, job.id)
        with self.connection.pipeline() as pipe:
            while True:
                pipe.watch(self.scheduled_jobs_key)
                seen = pipe.zscore(self.scheduled_jobs_key, job.id)
                if seen != first:
                    return  # another has moved it
                try:
                    self._enqueue(job, seen, pipe)
                except WatchError:
                    continue  # some other entry has changed
                return

    def _enqueue(self, job: Any, seen: float | None, pipe: Any) -> None:  # noqa: ANN401 - as RQ has them
        now = time.time()
        score = following(job.meta, now if seen is None else seen, now)
        meta = dict(job.meta)
        job.meta = counted(job.meta)
        pipe.multi()
        try:
            front = bool(job.enqueue_at_front)
            queue = self.get_queue_for_job(job)
            queue.enqueue_job(job, pipeline=pipe, at_front=front)
            pipe.zrem(self.scheduled_jobs_key, job.id)
            if score is not None:
                pipe.zadd(self.scheduled_jobs_key, {job.id: score})
            pipe.execute()
        except WatchError:
            job.meta = meta  # it is counted when it is enqueued
            raise


def meta_of(packed: bytes | None) -> dict[str, Any]:
    """Return the meta of a job of rq-scheduler, as its hash holds it."""
    meta: dict[str, Any] = DefaultSerializer.loads(packed) if packed else {}
    return meta


def packed(meta: Mapping[str, Any]) -> bytes:
    """Return a meta as the hash holds it."""
    data: bytes = DefaultSerializer.dumps(dict(meta))
    return data


def counted(meta: Mapping[str, Any]) -> dict[str, Any]:
    """Return a meta after one more time: ``repeat`` counts down."""
    repeat = meta.get("repeat")
    return {**meta, "repeat": int(repeat) - 1} if repeat else dict(meta)


def following(meta: Mapping[str, Any], score: float, now: float) -> float | None:
    """Return when an entry comes next, in unix seconds; None when it is done.

    An interval keeps its phase, so it never drifts.

    Args:
        meta: of its job.
        score: when it was due.
        now: unix seconds.
    """
    if meta.get("repeat") is not None and int(meta["repeat"]) <= 1:
        return None
    if interval := int(meta.get("interval") or 0):
        return score + interval * max(1, math.floor((now - score) / interval) + 1)
    if meta.get("cron_string"):
        local = bool(meta.get("use_local_timezone"))
        return _next_cron(str(meta["cron_string"]), now, local=local)
    return None


def expression(cron_string: str) -> str | None:
    """Return an expression of rq-scheduler as flow writes it; None when it cannot."""
    fields = cron_string.split()
    if len(fields) >= YEAR:
        # There the year stands last, and the seconds first of seven.
        return " ".join(fields[:-1]) if fields[-1] == "*" else None
    return cron_string


def _next_cron(cron_string: str, now: float, *, local: bool) -> float:
    moment = datetime.fromtimestamp(now, UTC)
    try:
        ours = expression(cron_string)
        if ours is not None:
            cron = Cron(ours, tz=local_zone() if local else None)
            return to_ms(cron.next_after(moment)) / 1000
    except InvalidSchedule:
        pass  # unclear to flow: it means what rq-scheduler takes it for
    return float(
        to_unix(get_next_scheduled_time(cron_string, use_local_timezone=local))
    )


def cron_jobs(path: str) -> list[Any]:
    """Return the jobs that a file for ``rq cron`` registers; rq loads it its way."""
    # The scheduler only collects them: nothing is asked of this connection.
    scheduler = CronScheduler(connection=Redis())
    scheduler.load_config_from_file(path)
    jobs: list[Any] = scheduler.get_jobs()
    return jobs


def seconds(timeout: float | str | None) -> float | None:
    """Return RQ's time-outs, such as ``1h``, in seconds."""
    found: float | None = parse_timeout(timeout)
    return found
