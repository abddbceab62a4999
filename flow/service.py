"""Service: everything that loops. A turn is ``run_once``; the loop is shared."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from flow.errors import ServerUnreachable
from flow.events import ServerAway, ServerBack, UpkeepFailed
from flow.log import emit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Seconds between two tries of all services together to reach a server that is away.
SHORTEST, LONGEST = 0.25, 2.0


class Service:
    """One small loop: a turn every so often.

    A subclass says in ``interval`` how many seconds lie between two turns, and does
    the work of one turn in ``run_once``, which tests call by themselves.
    """

    interval: float = 1.0  # seconds
    asks_server: bool = True  # else it goes on while the server is away

    def run_once(self) -> float | None:
        """Do one turn.

        Returns:
            Seconds until the next; None for the usual interval.
        """
        raise NotImplementedError


class Agenda:
    """Runs the turns of several services, each when it is due, in one thread.

    Args:
        services: in the order in which they run when due at once.
        monotonic: the clock that intervals are measured on.
        chance: from 0 to 1, so that a fleet does not return to its server as one.
    """

    def __init__(
        self,
        services: Sequence[Service],
        monotonic: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Make everything due at once."""
        self._monotonic = monotonic
        self._chance = chance
        self._pause, self._rests_until = 0.0, float("-inf")
        self._away_since: float | None = None
        self._away_for: Service | None = None
        self._failing: dict[Service, str] = {}
        self._due = dict.fromkeys(services, monotonic())

    def wait(self) -> float:
        """Return the seconds until something is due."""
        return max(0.0, min(map(self._when, self._due)) - self._monotonic())

    def hurry(self, service: Service, within: float = 0.0) -> None:
        """Have a service's next turn come within so many seconds."""
        self._due[service] = min(self._due[service], self._monotonic() + within)

    def run_due(self) -> None:
        """Run what is due; one that fails is done again at its usual interval."""
        for service in self._due:
            if self._when(service) <= self._monotonic():
                wait = self._turn(service)
                self._due[service] = self._monotonic() + wait
                if self._away_since is not None:
                    break  # the others would wait just as long, and signals with them

    def _when(self, service: Service) -> float:
        due = self._due[service]
        return max(due, self._rests_until) if service.asks_server else due

    def _turn(self, service: Service) -> float:
        wait = None
        try:
            wait = service.run_once()
        except ServerUnreachable as error:
            # The loop outlives any outage, and says so once.
            self._server_away(service, str(error))
        except Exception as error:  # noqa: BLE001 - a key that others spoilt, most likely
            # Whoever runs this holds jobs: it must not end over its upkeep.
            self._failed(service, str(error))
        else:
            self._failing.pop(service, None)
            # Another may have had nothing to ask the server.
            if service is self._away_for:
                self._server_back()
        return service.interval if wait is None else wait

    def _failed(self, service: Service, error: str) -> None:
        if self._failing.get(service) != error:
            self._failing[service] = error
            emit(UpkeepFailed(type(service).__name__.lower(), error))

    def _server_away(self, service: Service, error: str) -> None:
        self._away_for = service
        self._pause = min(LONGEST, max(SHORTEST, 2 * self._pause))
        rest = self._pause * (0.5 + self._chance() / 2)
        self._rests_until = self._monotonic() + rest
        if self._away_since is None:
            self._away_since = self._monotonic()
            emit(ServerAway(error))

    def _server_back(self) -> None:
        if self._away_since is not None:
            emit(ServerBack(self._monotonic() - self._away_since))
            self._away_since, self._away_for = None, None
            self._pause = 0.0
