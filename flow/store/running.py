"""What runs: who owns it, what it was claimed as, how it is ended from without."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from flow import codec, keys
from flow.record import Invocation, Status
from flow.store.batches import CHUNK
from flow.store.client import AFTERMATH
from flow.store.scripts import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flow.outcome import Outcome
    from flow.record import Claim
    from flow.store.client import Held, Store

PEEKED = 65_536  # bytes of a call that is worth looking at
# As claim.lua gives them to the codec.
CLAIMED = (
    *("timeout", "result_ttl", "failure_ttl", "retries_left", "retry_intervals"),
    *("flow_attempts", "flow_on_crash", "flow_unknown_since", "data", "flow_timeout"),
)

SEEN = 90  # seconds for which RQ's tools show a job that runs, unless it is told again


class Whereabouts(NamedTuple):
    """Where a job is.

    Args:
        status: RQ's word; None if there is no such job.
        worker: who ran it last, if anybody.
        created: when it was enqueued.
    """

    status: str | None
    worker: str
    created: str


def owned(store: Store, claims: Sequence[Claim], worker: str) -> list[Claim]:
    """Return those of the claims whose job was not taken away; RQ's tools show them.

    Args:
        store: where the jobs are.
        claims: what runs.
        worker: whose processes run it.
    """
    own: list[Claim] = []
    for start in range(0, len(claims), CHUNK):
        some = claims[start : start + CHUNK]
        words = [word for c in some for word in (c.queue, c.job_id, c.execution)]
        answers = store.link.run(load("owned"), [], [worker, SEEN, *words])
        own += [c for c, answer in zip(some, answers, strict=True) if answer]
    return own


def holds(store: Store, claim: Claim) -> bool:
    """Return whether an execution still owns its job."""
    member = f"{claim.job_id}:{claim.execution}"
    if store.link.command("ZSCORE", keys.wip(claim.queue), member) is None:
        return False
    return store.status(claim.job_id) == "started"


def described(store: Store, held: Held) -> Claim | None:
    """Return what a process holds as it claimed it; None when it lost it meanwhile."""
    key = keys.job(held.job_id)
    *values, status = store.link.command("HMGET", key, *CLAIMED, "status")
    if status != b"started":
        return None
    names = [held.queue.encode(), held.job_id.encode(), held.execution.encode()]
    return codec.claim([*names, 1, *values])


def judge(
    store: Store, outcome: Outcome, *, worker: str, text: str, how: str
) -> str | None:
    """Settle what its process will not, and have its callbacks run by another.

    Args:
        store: where the job is.
        outcome: what its process would have said.
        worker: the worker that ran it.
        text: how it ended, for its callbacks.
        how: why it ended: ``timeout`` or ``stopped``.

    Returns:
        Why it was refused; None when it was not.
    """
    claim = outcome.claim
    call = Invocation(AFTERMATH, (claim.job_id, text, how))
    packed = codec.outcomes([codec.pack_outcome(outcome)])
    told = [worker, how, codec.pack_invocation(call), *packed]
    refused = store.link.run(load("judge"), [], told)
    return refused.decode() or None


def peek(store: Store, queues: Sequence[str]) -> bytes:
    """Return the packed call of the job that is next; empty if there is none."""
    call: bytes = store.link.run(load("peek"), [], [PEEKED, *queues])
    return call


def stop(store: Store, job_id: str) -> bool | None:
    """Ask the worker of a job that runs to end it.

    Returns:
        Whether a worker hears it; False when the job does not run; None: no such job.
    """
    where = whereabouts(store, job_id)
    if where.status is None:
        return None
    if where.status != Status.STARTED or not where.worker:
        return False
    told = json.dumps({"command": "stop-job", "job_id": job_id})
    return bool(store.link.command("PUBLISH", keys.commands(where.worker), told))


def whereabouts(store: Store, job_id: str) -> Whereabouts:
    """Return where a job is, and which of those that had its id it is."""
    fields = ("status", "worker_name", "created_at")
    found = store.link.command("HMGET", keys.job(job_id), *fields)
    status, worker, created = (raw and raw.decode() for raw in found)
    # As text: RQ 3 has words that flow does not know.
    return Whereabouts(status, worker or "", created or "")


def queue_of(store: Store, job_id: str) -> str | None:
    """Return the queue that a job came from; None: there is no such job."""
    raw = store.link.command("HGET", keys.job(job_id), "origin")
    return raw.decode() if raw else None
