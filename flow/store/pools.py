"""Pools: how redis-py connects to what an address names, a server or sentinels."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from redis import ConnectionPool
from redis import asyncio as aioredis
from redis.sentinel import SentinelConnectionPool

from flow.errors import ConfigError
from flow.store import sentinel
from flow.store.address import masked
from flow.store.finder import Finder
from flow.store.sentinel import shown

if TYPE_CHECKING:
    from flow.store.address import Address
    from flow.store.sentinel import Sentinels

EXAMPLE = "redis+sentinel://host:26379,host:26379/MASTER/0"


def pool(address: Address, **options: Any) -> ConnectionPool:  # noqa: ANN401 - as redis-py takes them
    """Return a pool for ``address``; it connects when it is first used.

    Args:
        address: the server, or the sentinels that know it.
        options: what its connections are made with; what the URL says wins.

    Raises:
        ConfigError: the address is not a URL that is known here.
    """
    if sentinel.names_sentinels(address.url):
        named = _read(address)
        managed: Any = SentinelConnectionPool  # redis-py leaves both untyped
        found: ConnectionPool = managed(
            named.master, Finder(named), **{**options, **named.options}
        )
        return found
    make: Any = ConnectionPool
    try:
        made: ConnectionPool = make.from_url(address.url, **options)
    except ValueError as error:
        raise ConfigError(
            f"{masked(address.url)} is no address of a Redis "
            f"(redis://host:6379/0, rediss://..., unix:///path, {EXAMPLE}; signs such "
            "as / and # in a password are written %2F and %23)"
        ) from error
    return made


async def async_client(address: Address, **options: Any) -> Any:  # noqa: ANN401 - redis-py's
    """Return a client for asyncio, for one short use.

    Raises:
        redis.RedisError: no sentinel tells where the master is.
    """
    make: Any = aioredis.Redis
    if not sentinel.names_sentinels(address.url):
        return make.from_url(address.url, **options)
    named = _read(address)
    find = Finder(named).discover_master
    place = shown(*await asyncio.to_thread(find, named.master))
    own = {**options, **named.options}
    scheme = "rediss" if own.pop("ssl", False) else "redis"
    return make.from_url(f"{scheme}://{place}", **own)


def _read(address: Address) -> Sentinels:
    try:
        return sentinel.read(address.url)
    except (ConfigError, ValueError) as error:
        url = masked(address.url)
        raise ConfigError(
            f"{url} is no address of a Redis: {error} ({EXAMPLE})"
        ) from error
