"""How the queues stand, for people; and the pause that claims honour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flow import keys
from flow.errors import InvalidCall

if TYPE_CHECKING:
    from flow.store.client import Store


@dataclass(frozen=True, slots=True)
class Standing:
    """How one queue stands.

    Args:
        name: the queue.
        waiting: jobs that wait for a slot.
        started: executions that run, or are about to.
        failed: dead letters.
        scheduled: jobs that wait for their time.
        deferred: jobs that wait for other jobs.
        oldest: seconds that the next job has waited; None when none waits.
        served_by: the live workers that serve it.
        paused: whether nothing is claimed from it.
    """

    name: str
    waiting: int
    started: int
    failed: int
    scheduled: int
    deferred: int
    oldest: float | None
    served_by: tuple[str, ...]
    paused: bool


def standings(store: Store, now: float) -> list[Standing]:
    """Return how every queue stands that anybody used, by name.

    Args:
        store: where the queues are.
        now: unix seconds.
    """
    paused = store.paused()
    names = sorted({*store.queues(), *paused})
    return [_standing(store, name, now, paused=name in paused) for name in names]


def _standing(store: Store, name: str, now: float, *, paused: bool) -> Standing:
    command = store.link.command
    started, failed, scheduled, deferred = (
        command("ZCARD", keys.registry(kind, name))
        for kind in ("wip", "failed", "scheduled", "deferred")
    )
    return Standing(
        name,
        command("LLEN", keys.queue(name)),
        started,
        failed,
        scheduled,
        deferred,
        _oldest(store, name, now),
        _served_by(store, name),
        paused,
    )


def _oldest(store: Store, name: str, now: float) -> float | None:
    first = store.link.command("LINDEX", keys.queue(name), 0)
    if first is None:
        return None
    since = store.link.command("HGET", keys.job(first.decode()), "enqueued_at")
    try:
        at = datetime.fromisoformat(since.decode()).timestamp() if since else None
    except ValueError:  # somebody else's; the others are to be shown all the same
        at = None
    return None if at is None else max(0.0, now - at)


def _served_by(store: Store, name: str) -> tuple[str, ...]:
    command, prefix = store.link.command, keys.worker("")
    found = sorted(key.decode() for key in command("SMEMBERS", keys.workers_of(name)))
    # One that was killed stays in the set for a while; its own key does not.
    return tuple(key.removeprefix(prefix) for key in found if command("EXISTS", key))


def pause(store: Store, name: str) -> bool:
    """Have nothing claimed from a queue; what runs goes on.

    Returns:
        Whether it was not paused before.

    Raises:
        InvalidCall: nobody has ever used or served a queue of this name.
    """
    known = store.queues()
    if name not in known:
        raise InvalidCall(
            f"there is no queue {name!r}; known: {', '.join(known) or 'none yet'}"
        )
    return bool(store.link.command("SADD", keys.PAUSED, name))


def resume(store: Store, name: str) -> bool:
    """Have a queue claimed from again; return whether it was paused."""
    return bool(store.link.command("SREM", keys.PAUSED, name))
