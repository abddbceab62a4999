"""Jobs that waited for an instant, or with many others for a job: to their queues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flow import codec
from flow.store.scripts import load

if TYPE_CHECKING:
    from flow.store.link import Link


@dataclass(frozen=True, slots=True)
class Promoted:
    """What a call of promote did.

    Args:
        moved: how many jobs went to their queue.
        wait: seconds until the next is due; None when there is none.
        now: the server's time in ms.
        foreign: queues that another scheduler promotes, under RQ's lock.
        after: where to go on among the queues; ``BEGIN`` when it is through.
        releasing: whether there is work for ``release_more``.
    """

    moved: int
    wait: float | None
    now: int
    foreign: tuple[str, ...]
    after: str
    releasing: bool


def promote(
    link: Link, at: str, limit: int, horizon: int | None, now: float
) -> Promoted:
    """Queue the jobs whose time has come, in the queues that come next.

    Args:
        link: the way to the server.
        at: where to go on among all queues; ``BEGIN`` at first.
        limit: how many at most.
        horizon: the latest time that is believed, ms since 1970; None for any.
        now: unix seconds, for what people read.
    """
    arguments = [codec.iso(now), limit, "" if horizon is None else horizon, at]
    moved, wait, said, foreign, *more = link.run(load("promote"), [], arguments)
    left = float(wait) if wait else None
    names = tuple(queue.decode() for queue in foreign)
    after, releasing = more
    return Promoted(moved, left, said, names, after.decode(), bool(releasing))


def release_more(link: Link, now: float) -> bool:
    """Queue some of the many jobs that waited for one that has ended.

    Args:
        link: the way to the server.
        now: unix seconds, for what people read.

    Returns:
        Whether there are more.
    """
    return bool(link.run(load("release_more"), [], [codec.iso(now)]))
