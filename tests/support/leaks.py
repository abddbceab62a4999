"""What a server holds: where a job is, and which keys would stay for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow import keys

if TYPE_CHECKING:
    from flow.store.client import Store

# One of each queue, as long as the queue is used; members go, the key goes with the last.
ROOMS = ("queue", "wip", "finished", "failed", "deferred", "scheduled", "canceled")
PERMANENT = ("rq:workers:", "flow:clock:", *(f"rq:{room}:" for room in ROOMS))
REGISTRIES = ROOMS[2:]


def queued(store: Store, queue: str = "default") -> list[str]:
    """Return the ids that wait in a queue, the next one first."""
    ids = store.link.command("LRANGE", keys.queue(queue), 0, -1)
    return [job_id.decode() for job_id in ids]


def places(store: Store, job_id: str, queue: str = "default") -> list[str]:
    """Return every place that a job is in, once for each time; one is right."""
    found = ["queue"] * queued(store, queue).count(job_id)
    members = store.link.command("ZRANGE", keys.wip(queue), 0, -1)
    found += ["wip" for m in members if m.decode().rpartition(":")[0] == job_id]
    for kind in REGISTRIES:
        score = store.link.command("ZSCORE", keys.registry(kind, queue), job_id)
        found += [kind] * (score is not None)
    return found


def snapshot(store: Store) -> dict[bytes, bytes]:
    """Return everything that the server holds, to compare."""
    command = store.link.command
    return {key: command("DUMP", key) for key in command("KEYS", "*")}


def leaks(store: Store) -> list[str]:
    """Return the keys that have no TTL and should have one."""
    found = [key.decode() for key in store.link.command("KEYS", "*")]
    lasting = [key for key in found if store.link.command("TTL", key) == -1]
    return sorted(key for key in lasting if not _may_last(store, key))


def _may_last(store: Store, key: str) -> bool:
    if key in keys.PERMANENT or key.startswith(PERMANENT):
        return True
    job_id = _job_of(key)
    return job_id is not None and _job_may_last(store, job_id)


def _job_of(key: str) -> str | None:
    """Return the job that a key belongs to."""
    if key.startswith("rq:job::"):
        return key.removeprefix("rq:job::").removesuffix(":dependencies")
    for prefix in ("rq:job:", "rq:results:"):
        if key.startswith(prefix):
            return key.removeprefix(prefix).removesuffix(":dependents")
    return None


def _job_may_last(store: Store, job_id: str) -> bool:
    """Whether a job waits or runs, or is to be kept for ever."""
    command, key = store.link.command, keys.job(job_id)
    if command("TYPE", key) != b"hash":
        return False
    names = ("status", "origin", "result_ttl", "failure_ttl")
    raw = command("HMGET", key, *names)
    status, queue, result_ttl, failure_ttl = (v.decode() if v else "" for v in raw)
    if "-1" in (result_ttl, failure_ttl):
        return True
    home = {"queued": "queue", "started": "wip"}.get(status, status)
    waits = status in ("queued", "started", "scheduled", "deferred")
    return waits and places(store, job_id, queue) == [home]
