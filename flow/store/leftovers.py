"""Leftovers: what expired, and what others left behind, is removed in slices."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from flow import codec, keys
from flow.record import FAILURE_TTL, Invocation
from flow.store.client import AFTERMATH, BEGIN
from flow.store.scripts import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from flow.store.client import Store

ORPHANED = (
    "flow.errors.ParentGone: a job that it waited for was deleted, or its time to live "
    "passed, before it finished"
)
AT_ONCE = 100  # names that are read at once of a set of any size


def some_queues(store: Store, at: str) -> tuple[list[str], str]:
    """Return the names of some queues that anybody used, and where to go on.

    Args:
        store: where they are.
        at: where to go on; ``BEGIN`` at first, and when it is through.
    """
    named, after = _some(store, keys.QUEUES, at)
    prefix = keys.queue("")
    return [key.removeprefix(prefix) for key in named], after


def trim(store: Store, queues: Sequence[str], limit: int) -> int:
    """Forget expired jobs in the registries of queues; return how many."""
    return int(store.link.run(load("trim"), [], [limit, *queues]))


def sweep(
    store: Store, queues: Sequence[str], limit: int, silence: float, host: str = ""
) -> list[str]:
    """Remove what killed workers and RQ's left behind, a handful of each kind.

    Args:
        store: where it is.
        queues: where to look.
        limit: how many of each kind a call looks at in a queue.
        silence: seconds after the last beat of a role that is gone.
        host: whose silent roles are forgotten, and all killed workers; empty for none.

    Returns:
        The jobs that have waited for a minute for others that are gone.
    """
    named = [keys.WORKERS, keys.host(host)] if host else []
    arguments = [codec.iso(time.time()), limit, silence, *queues]
    *_, orphans = store.link.run(load("sweep"), named, arguments)
    return _texts(orphans)


def orphan(store: Store, job_id: str) -> bool | None:
    """Have a job wait no more for others that are gone.

    Returns:
        True when it is a dead letter now; False when it runs, for it allows failures;
        None when it is no orphan.
    """
    call = Invocation(AFTERMATH, (job_id, ORPHANED))
    told = [codec.pack_failure(ORPHANED), job_id, codec.pack_invocation(call)]
    arguments = [codec.iso(time.time()), FAILURE_TTL, *told]
    answer = store.link.run(load("orphan"), [], arguments)
    return None if answer < 0 else bool(answer)


def unserved(store: Store, queues: Sequence[str]) -> list[str]:
    """Return those of the queues that have jobs waiting and no live worker."""
    return _texts(store.link.run(load("unserved"), [], queues))


def begins(store: Store, key: str, pause: int) -> bool:
    """Return whether to begin a round: for so many seconds nobody else does.

    Args:
        store: where the jobs are.
        key: of the round.
        pause: seconds between two rounds of all roles together.
    """
    return bool(store.link.command("SET", key, 1, "NX", "EX", pause))


def strays(store: Store, at: str, limit: int) -> tuple[list[bytes], str]:
    """Return keys that would stay for ever, of jobs that are gone, and where to go on.

    Args:
        store: where they are.
        at: where to go on among all keys; ``BEGIN`` at first, and when it is through.
        limit: how many keys to look at, about.
    """
    after, found = store.link.run(load("strays"), [], [at, limit])
    return found, after.decode()


def discard(store: Store, found: Sequence[bytes], limit: int) -> int:
    """Remove strays that still are; return how many are gone.

    Args:
        store: where they are.
        found: their keys.
        limit: how many jobs leave a waiting room at most.
    """
    return int(store.link.run(load("discard"), [], [limit, *found]))


def names(store: Store, key: str) -> Iterator[str]:
    """Give the members of a set of any size, a few read at once."""
    found, at = _some(store, key, BEGIN)
    yield from found
    while at != BEGIN:
        found, at = _some(store, key, at)
        yield from found


def tidy_group(store: Store, group: str, at: int, limit: int) -> int:
    """Have a group forget jobs that are gone; return where to go on, 0: through."""
    return int(store.link.run(load("tidy_group"), [], [group, at, limit]))


def tidy_limit(store: Store, name: str, at: int, limit: int) -> int:
    """Give slots of a rate limit whose jobs are gone to those that wait.

    Returns:
        Where to go on among the slots; 0: through.
    """
    arguments = [name, codec.iso(time.time()), at, limit]
    return int(store.link.run(load("tidy_limit"), [], arguments))


def _some(store: Store, key: str, at: str) -> tuple[list[str], str]:
    after, found = store.link.command("SSCAN", key, at, "COUNT", AT_ONCE)
    return _texts(found), after.decode() if isinstance(after, bytes) else str(after)


def _texts(found: Iterable[bytes]) -> list[str]:
    # One that is no text is nobody's, and must not keep the others from being found.
    return [name.decode("utf-8", "replace") for name in found]
