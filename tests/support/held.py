"""All that a server holds of jobs, and all that the model says it should."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.model import ENDED

if TYPE_CHECKING:
    from flow.store.client import Store
    from tests.support.model import Model

ALL = """
local READ = {
  list = function(key) return redis.call('LRANGE', key, 0, -1) end,
  set = function(key) return redis.call('SMEMBERS', key) end,
  zset = function(key) return redis.call('ZRANGE', key, 0, -1) end,
  hash = function(key) return { redis.call('HGET', key, 'status') } end,
}
local found = {}
for _, key in ipairs(redis.call('KEYS', 'rq:*')) do
  local kind = redis.call('TYPE', key).ok
  local read = READ[kind]
  found[#found + 1] = { key, kind, redis.call('TTL', key), read and read(key) or {} }
end
return found
"""
BESIDE = ("rq:queues", "rq:suspended", "rq:scheduler-lock:")
Holding = tuple[bool, Any]  # whether it expires, and what is in it


def on_server(store: Store) -> dict[str, Holding]:
    """Return what is there, key by key."""
    found: dict[str, Holding] = {}
    for key, kind, ttl, raw in store.link.command("EVAL", ALL, 0):
        name, words = key.decode(), [word.decode() for word in raw]
        if not name.startswith(BESIDE):
            found[name] = (ttl >= 0, words if kind == b"list" else frozenset(words))
    return found


def in_model(model: Model) -> dict[str, Holding]:
    """Return what should be there; a key that is not named must not be."""
    found = {**_rooms(model), **_families(model)}
    full = {key: holding for key, holding in found.items() if holding[1]}
    for job in model.jobs.values():
        full[f"rq:job:{job.id}"] = (job.expires, frozenset([job.status]))
        if job.id in model.results:
            full[f"rq:results:{job.id}"] = (job.expires, frozenset())
    return full


def _rooms(model: Model) -> dict[str, Holding]:
    found: dict[str, Holding] = {
        f"rq:{room}:{queue}": (False, frozenset(ids))
        for (room, queue), ids in model.rooms.items()
    }
    for queue, ids in model.waiting.items():
        found[f"rq:queue:{queue}"] = (False, list(ids))
    for queue, due in model.scheduled.items():
        found[f"rq:scheduled:{queue}"] = (False, frozenset(due))
    for queue, members in model.held().items():
        found[f"rq:wip:{queue}"] = (False, frozenset(members))
    return found


def _families(model: Model) -> dict[str, Holding]:
    found: dict[str, Holding] = {
        f"rq:job::{child}:dependencies": (False, frozenset(parents))
        for child, parents in model.parents.items()
    }
    for parent, children in model.children.items():
        # The child of a parent that has ended badly waits no longer than that is kept.
        ended = parent in model.jobs and model.jobs[parent].status in ENDED
        found[f"rq:job:{parent}:dependents"] = (ended, frozenset(children))
    return found
