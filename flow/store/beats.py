"""Beats: which processes live, and what dead ones hold in all queues, in slices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flow import keys
from flow.store.client import Held
from flow.store.scripts import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flow.store.client import Store


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of all processes, and of those that hold jobs in some queues.

    Args:
        beats: how often each process has beaten.
        silent: processes that never have, but hold jobs in the queues looked at.
        after: where to go on among the queues; ``BEGIN`` when it is through.
    """

    beats: dict[str, int]
    silent: list[str]
    after: str


def look(store: Store, at: str) -> Look:
    """Look at all beats, and at the queues that come next.

    Args:
        store: where they are.
        at: where to go on among the queues; ``BEGIN`` at first.
    """
    beats, silent, after = store.link.run(load("look"), [keys.BEATS], [at])
    names = [name.decode("utf-8", "replace") for name in (*beats[::2], *silent)]
    counted = dict(zip(names, map(int, beats[1::2]), strict=False))
    return Look(counted, names[len(counted) :], after.decode())


def held(
    store: Store, processes: Sequence[str], at: str
) -> tuple[dict[str, list[Held]], str]:
    """Return what processes hold in the queues that come next, and where to go on.

    Args:
        store: where it is.
        processes: their names.
        at: where to go on among the queues; ``BEGIN`` at first, and when it is through.
    """
    flat, after = store.link.run(load("held"), [], [at, *processes])
    found: dict[str, list[Held]] = {}
    for queue, member in zip(flat[::2], flat[1::2], strict=True):
        one = Held.of(queue.decode("utf-8", "replace"), member)
        if one is not None:
            found.setdefault(one.process, []).append(one)
    return found, after.decode()
