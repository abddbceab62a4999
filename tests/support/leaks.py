"""What a server holds: where a job is, and which keys would stay for ever."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from flow import keys

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flow.store.client import Store

# One of each queue; members go, and the key goes with the last of them.
ROOMS = ("queue", "wip", "finished", "failed", "deferred", "scheduled", "canceled")
PERMANENT = ("rq:workers:", "flow:clock:", *(f"rq:{room}:" for room in ROOMS))
HOMES = {"queued": "queue", "started": "wip", "scheduled": "scheduled"}
HOMES["deferred"] = "deferred"
# One call, not one a key: some tests leave ten thousand jobs.
LASTING = """
local found = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  if redis.call('TTL', key) == -1 then
    local names = { 'status', 'origin', 'result_ttl', 'failure_ttl' }
    local fields = redis.pcall('HMGET', key, unpack(names))
    found[#found + 1] = { key, fields.err and {} or fields }
  end
end
return found
"""


def queued(store: Store, queue: str = "default") -> list[str]:
    """Return the ids that wait in a queue, the next one first."""
    ids = store.link.command("LRANGE", keys.queue(queue), 0, -1)
    return [job_id.decode() for job_id in ids]


def places(store: Store, job_id: str, queue: str = "default") -> list[str]:
    """Return every place that a job is in, once for each time; one is right."""
    return [room for room in ROOMS for i in _ids(store, room, queue) if i == job_id]


def snapshot(store: Store) -> dict[bytes, bytes]:
    """Return everything that the server holds, to compare."""
    command = store.link.command
    return {key: command("DUMP", key) for key in command("KEYS", "*")}


def leaks(store: Store) -> list[str]:
    """Return the keys that have no TTL and should have one."""
    lasting: list[tuple[str, list[str]]] = [
        (key.decode(), [value.decode() if value else "" for value in fields])
        for key, fields in store.link.command("EVAL", LASTING, 0)
    ]
    mine = [(key, fields) for key, fields in lasting if not _permanent(key)]
    if not mine:
        return []
    right = set(_jobs_that_may_last(store, mine))
    wrong = (key for key, _ in mine if _job_of(key) not in right)
    return sorted(key for key in wrong if not _is_waited_for(store, key, right))


def _is_waited_for(store: Store, key: str, right: set[str]) -> bool:
    """Whether jobs wait for one whose own ttl will end its waiting, or has ended it."""
    if not key.endswith(":dependents"):
        return False
    status = store.link.command("HGET", key.removesuffix(":dependents"), "status")
    if status is not None:
        return status.decode() in HOMES
    children = store.link.command("SMEMBERS", key)
    return any(child.decode() in right for child in children)


def _permanent(key: str) -> bool:
    return key in keys.PERMANENT or key.startswith(PERMANENT)


def _job_of(key: str) -> str | None:
    """Return the job that a key belongs to."""
    if key.startswith("rq:job::"):
        return key.removeprefix("rq:job::").removesuffix(":dependencies")
    for prefix in ("rq:job:", "rq:results:"):
        if key.startswith(prefix):
            return key.removeprefix(prefix).removesuffix(":dependents")
    return None


def _jobs_that_may_last(
    store: Store, lasting: Iterable[tuple[str, list[str]]]
) -> Iterable[str]:
    """Give the jobs that wait or run where they should, or are kept for ever."""
    rooms: dict[tuple[str, str], set[str]] = defaultdict(set)
    for key, fields in lasting:
        job_id = key.removeprefix("rq:job:")
        if not fields or keys.job(job_id) != key:
            continue
        status, queue, *ttls = fields
        home = (HOMES.get(status, ""), queue)
        if home[0] and home not in rooms:
            rooms[home] = set(_ids(store, *home))
        if "-1" in ttls or job_id in rooms[home]:
            yield job_id


def _ids(store: Store, room: str, queue: str) -> list[str]:
    key = keys.registry(room, queue)
    if room == "queue":
        return queued(store, queue)
    members: Any = store.link.command("ZRANGE", key, 0, -1)
    ids = [member.decode() for member in members]
    return [i.rpartition(":")[0] for i in ids] if room == "wip" else ids
