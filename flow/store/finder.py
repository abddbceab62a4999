"""Finder: asks the sentinels where the master is, whenever a connection is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError, ResponseError
from redis.retry import Retry
from redis.sentinel import MasterNotFoundError

from flow.events import MasterFound
from flow.log import emit
from flow.store.sentinel import shown

if TYPE_CHECKING:
    from flow.store.sentinel import Sentinels

ANSWER = 1.0  # seconds that a sentinel may take; then the next one is asked
_found: dict[Sentinels, str] = {}  # where this process last found each master


class UnknownMaster(RedisError):
    """No sentinel watches a master of that name."""


class Finder:
    """Finds one master, for redis-py's pools; says clearly why, when it does not.

    Args:
        sentinels: whom to ask.
    """

    def __init__(self, sentinels: Sentinels) -> None:
        """Ask nobody yet."""
        tls = {k: v for k, v in sentinels.options.items() if k.startswith("ssl")}
        times = {"socket_timeout": ANSWER, "socket_connect_timeout": ANSWER}
        once = {"retry": Retry(NoBackoff(), 0)}
        self._told = {**times, **once, **tls, **sentinels.login}
        self._sentinels = sentinels
        self._order = sentinels.members

    def discover_master(self, service_name: str) -> tuple[str, int]:
        """Return the master's host and port, from the first sentinel that tells.

        Raises:
            UnknownMaster: every sentinel answers, and none watches it.
            AuthenticationError: every sentinel refuses the login.
            MasterNotFoundError: none tells now; one may, later.
        """
        refusals: list[RedisError] = []
        order = self._order
        for member in order:
            try:
                place = self._ask(member, service_name)
            except RedisError as error:
                refusals.append(error)
            else:
                others = [one for one in order if one != member]
                self._order = (member, *others)
                self._tell(place)
                return place
        for kind in (UnknownMaster, AuthenticationError):
            if all(isinstance(error, kind) for error in refusals):
                raise kind(str(refusals[0]))
        raise MasterNotFoundError("; ".join(map(str, refusals)))

    def _ask(self, member: tuple[str, int], name: str) -> tuple[str, int]:
        make: Any = redis.Redis  # redis-py leaves its replies untyped
        try:
            # Its own each time: several threads may ask at once, and all do so rarely.
            with make(host=member[0], port=member[1], **self._told) as client:
                state = client.sentinel_master(name)
        except ResponseError as error:
            if "No such master" not in str(error):
                raise
            text = f"the sentinel {shown(*member)} watches no master {name!r}"
            raise UnknownMaster(text) from error
        if not state["is_master"] or state["is_sdown"] or state["is_odown"]:
            text = f"the sentinel {shown(*member)} sees {name!r} down"
            raise MasterNotFoundError(text)
        return state["ip"], state["port"]

    def _tell(self, place: tuple[str, int]) -> None:
        now, before = shown(*place), _found.get(self._sentinels, "")
        if now != before:
            _found[self._sentinels] = now
            emit(MasterFound(self._sentinels.master, now, before))
