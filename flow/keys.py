"""Every Redis key that flow reads or writes.

docs/keys-and-scripts.md says of each its type, who writes it and how long it lives.
The keys under ``rq:`` are RQ's, with RQ's meaning; those under ``flow:`` are flow's.
"""

from __future__ import annotations

QUEUES = "rq:queues"  # set of queue keys, permanent
SUSPENDED = "rq:suspended"  # string: every worker pauses while it exists
PAUSED = "flow:paused"  # set of the names of queues that nothing is claimed from
WORKERS = "rq:workers"  # set of worker keys
BEATS = "flow:beats"  # hash process -> count; a process that leaves is removed
GROUPS = "rq:groups"  # set: the names of RQ's groups that have jobs
TIDIED = "rq:clean_groups"  # string with a TTL: somebody looks after them now
SOUGHT = "flow:sought"  # string with a TTL: somebody looks for strays, or just has
RELEASING = "flow:releasing"  # hash: a job that ended -> how, and who is next
LIMITS = "rq:rl-keys"  # set: the names of RQ's rate limits, while they are used

PERMANENT = frozenset({QUEUES, SUSPENDED, PAUSED, WORKERS, BEATS})


def clock(app: str, part: str = "") -> str:
    """Return the key of a part of an app's clock; without one, what all begin with.

    ``leader`` (string, 3 s), ``epoch`` (string, permanent), ``next`` (sorted set:
    schedule -> when it is due in ms, permanent), ``ledger`` (stream, trimmed,
    permanent), ``schedule:<id>`` and ``job:<id>`` (hashes, permanent; 30 days once
    removed), ``ids`` (hash: schedule -> its source), ``state`` (hash: the declared
    release, the last call of tick), ``bell`` (string: rings at edits).
    """
    return f"flow:clock:{app}:{part}"


def host(name: str) -> str:
    """Hash with a TTL: the roles of a host, ``role:pid`` -> its last beat."""
    return f"flow:host:{name}"


def job(job_id: str) -> str:
    """Hash: the job itself."""
    return f"rq:job:{job_id}"


def dependents(job_id: str) -> str:
    """Set: the jobs that wait for this one."""
    return f"rq:job:{job_id}:dependents"


def dependencies(job_id: str) -> str:
    """Set: the jobs that this one waits for; RQ has two colons here."""
    return f"rq:job::{job_id}:dependencies"


def results(job_id: str) -> str:
    """Stream: how each execution ended, the latest last."""
    return f"rq:results:{job_id}"


def queue(name: str) -> str:
    """List: ids of the jobs that wait, the next one first."""
    return f"rq:queue:{name}"


def wip(name: str) -> str:
    """Sorted set: what runs, ``job:execution`` -> far beyond its end."""
    return f"rq:wip:{name}"


def registry(kind: str, name: str) -> str:
    """Sorted set: jobs of a queue that are finished, failed, deferred, scheduled..."""
    return f"rq:{kind}:{name}"


def worker(name: str) -> str:
    """Hash with a TTL: a worker, as ``rq info`` shows it."""
    return f"rq:worker:{name}"


def commands(name: str) -> str:
    """Channel: what RQ's clients ask of a worker; JSON."""
    return f"rq:pubsub:{name}"


def workers_of(name: str) -> str:
    """Set: the keys of the workers that serve a queue."""
    return f"rq:workers:{name}"


def turn(process: str) -> str:
    """String: the last exchange of a process and its answer; a week."""
    return f"flow:turn:{process}"
