"""The Redis of the processes: the one that is named, or the project's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.runner.environment import workplace
from flow.store import embedded
from flow.store.address import masked

if TYPE_CHECKING:
    from contextlib import ExitStack

    from flow.runner.environment.workplace import Workplace


def serve(place: Workplace, until: ExitStack) -> list[str]:
    """Start the project's own server if none is named; say which one is used."""
    if place.redis_from:
        # Only the address: a password may also stand in the query.
        url = place.environ[workplace.REDIS_URL].partition("?")[0]
        return [f"redis: {masked(url)}, from {place.redis_from}"]
    if place.project is None or not place.app:
        return []
    server = embedded.start(place.project.state)
    until.callback(server.leave)
    place.shared[workplace.REDIS_URL] = server.url
    how = "started here" if server.started else "already running"
    return [f"redis: the project's own, {how}; its data is in {place.project.state}"]
