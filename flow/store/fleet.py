"""The workers that live, for people: who and what; and an order to one of them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, cast

from flow import keys
from flow.store.scripts import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flow.store.client import Store

Order = Literal["quiet", "resume"]


@dataclass(frozen=True, slots=True)
class Seen:
    """A worker as its last beat shows it.

    Args:
        name: unique in the fleet.
        host: the machine.
        pid: its supervisor's.
        queues: what it serves, the first first.
        state: ``idle``, ``busy``, or ``suspended``: it takes nothing new.
        running: how many jobs run.
        jobs: the ids of those that it holds.
        done: jobs that ended well, since it began.
        failed: jobs that did not.
        beat: its last beat, unix seconds by its own clock; None when it shows none.
        engine: ``flow``, or ``rq`` for RQ's own worker.
    """

    name: str
    host: str
    pid: int
    queues: Sequence[str]
    state: str
    running: int
    jobs: Sequence[str]
    done: int
    failed: int
    beat: float | None
    engine: str


def workers(store: Store) -> list[Seen]:
    """Return the workers that live, flow's and RQ's, by name."""
    members = store.link.command("SMEMBERS", keys.WORKERS)
    hashes: dict[str, dict[str, str]] = {}
    for key in sorted(key.decode() for key in members):
        raw = store.link.command("HGETALL", key)
        if raw:  # else it died without a word, and its hash has expired
            hashes[key.removeprefix(keys.worker(""))] = _decoded(raw)
    queues = dict.fromkeys(q for one in hashes.values() for q in _queues(one))
    held = _held(store, list(queues)) if hashes else {}
    return [_seen(name, one, held) for name, one in hashes.items()]


def state(store: Store, name: str) -> str | None:
    """Return a worker's state as its last beat shows it; None when it is gone."""
    raw = store.link.command("HGET", keys.worker(name), "state")
    return raw.decode() if raw else None


def order(store: Store, name: str, what: Order) -> bool:
    """Tell a worker to be quiet, or to take jobs again; it hears with its next beat.

    Returns:
        Whether there is such a worker.
    """
    # A text of its own each time: the worker obeys what it has not obeyed before.
    told = f"{what} {secrets.token_hex(8)}"
    return bool(store.link.run(load("order"), [keys.worker(name)], [told]))


def _seen(name: str, told: dict[str, str], held: dict[str, list[str]]) -> Seen:
    flows = "flow_running" in told
    current = told.get("current_job")
    jobs = held.get(name, []) if flows else [current] if current else []
    return Seen(
        name=name,
        host=told.get("hostname", "?"),
        pid=_whole(told.get("pid")),
        queues=_queues(told),
        state=told.get("state", "?"),
        running=_whole(told["flow_running"]) if flows else len(jobs),
        jobs=jobs,
        done=_whole(told.get("successful_job_count")),
        failed=_whole(told.get("failed_job_count")),
        beat=_instant(told.get("last_heartbeat", "")),
        engine="flow" if flows else "rq",
    )


def _held(store: Store, queues: Sequence[str]) -> dict[str, list[str]]:
    """Return the jobs that run, by their workers."""
    found: dict[str, list[str]] = {}
    for one in store.held(queues):
        raw = store.link.command("HGET", keys.job(one.job_id), "worker_name")
        if raw:
            found.setdefault(raw.decode("utf-8", "replace"), []).append(one.job_id)
    return found


def _decoded(raw: object) -> dict[str, str]:
    pairs: Iterable[tuple[bytes, bytes]] = cast("dict[bytes, bytes]", raw).items()
    return {k.decode(): v.decode("utf-8", "replace") for k, v in pairs}


def _queues(told: dict[str, str]) -> list[str]:
    return [name for name in told.get("queues", "").split(",") if name]


def _whole(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0


def _instant(text: str) -> float | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
