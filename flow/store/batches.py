"""Jobs as enqueue.lua takes them, and one ordinary job as enqueue_one.lua."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flow import codec
from flow.errors import InvalidCall

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flow.record import Batch, JobRecord

CHUNK = 150  # jobs a script call writes at most: some milliseconds
PARENTS = 5  # of a job's parents, that take about as long as a job more
REMEMBERED = 120  # seconds for which enqueue.lua knows a call by its token
OWN = 3  # arguments that each job has of its own


def script_calls(batches: Sequence[Batch], now: float) -> Iterator[list[Any]]:
    """Return the arguments of each script call, behind its token.

    Args:
        batches: what is enqueued.
        now: unix seconds.

    Raises:
        InvalidCall: an argument or the meta of a job cannot be pickled.
    """
    # All are packed before the first is sent: one that cannot be stops all.
    packed = _packed(batches, now)
    fleeting = int(any(_may_leave_nothing(batch.like) for batch in batches))
    call: list[Any] = [fleeting]
    room = CHUNK
    for head, own, weight in packed:
        at = 0
        while at < len(own):
            if room < min(weight, CHUNK):
                yield call
                call, room = [fleeting], CHUNK
            part = own[at : at + max(1, room // weight) * OWN]
            count = len(part) // OWN
            call += [*head, count, *part]
            at, room = at + len(part), room - count * weight
    if len(call) > 1:
        yield call


def ordinary_call(batches: Sequence[Batch], now: float) -> list[Any] | None:
    """Return the arguments of enqueue_one.lua; None: it is not one job for the back.

    Args:
        batches: what is enqueued.
        now: unix seconds.

    Raises:
        InvalidCall: an argument or the meta of the job cannot be pickled.
    """
    if len(batches) != 1 or len(batches[0].calls) != 1:
        return None
    like = batches[0].like
    later = like.due is not None or like.delay is not None or like.depends_on
    if later or like.chosen or like.at_front or like.ttl or _may_leave_nothing(like):
        return None
    job_id, invocation = batches[0].calls[0]
    data, description = codec.own_fields(like, invocation)
    return [
        *(like.queue, job_id, *codec.shared_fields(like, now)),
        *("data", data, "description", description, "status", "queued"),
    ]


def _may_leave_nothing(like: JobRecord) -> bool:
    """Whether a job that has ended may be gone before a repeated call comes."""
    kept = (like.result_ttl, like.failure_ttl)
    return any(ttl is not None and 0 <= ttl < REMEMBERED for ttl in kept)


def _packed(
    batches: Sequence[Batch], now: float
) -> list[tuple[list[Any], list[Any], int]]:
    packed: list[tuple[list[Any], list[Any], int]] = []
    several = sum(len(batch.calls) for batch in batches) > 1
    index = 0
    for batch in batches:
        try:
            head, own = _head(batch.like, now), list[Any]()
            for job_id, invocation in batch.calls:
                own += (job_id, *codec.own_fields(batch.like, invocation))
                index += 1
        except InvalidCall as error:
            if not several:
                raise
            raise InvalidCall(f"call {index}: {error}") from error
        packed.append((head, own, 1 + len(batch.like.depends_on) // PARENTS))
    return packed


def _head(job: JobRecord, now: float) -> list[Any]:
    where = "front" if job.at_front else "back"
    where = "at" if job.due is not None else "in" if job.delay is not None else where
    due = job.due or job.delay or 0
    shared = codec.shared_fields(job, now)
    return [
        *(job.queue, int(job.chosen), where, due, job.ttl or 0),
        *(len(job.depends_on), *job.depends_on),
        *(len(shared), *shared),
    ]
