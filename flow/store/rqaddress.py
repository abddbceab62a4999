"""Addresses of clients: what RQ's commands connected to, as a URL for every process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from redis.sentinel import SentinelConnectionPool

from flow.errors import ConfigError
from flow.store import sentinel
from flow.store.address import Address

if TYPE_CHECKING:
    from redis import Redis

# What a TLS connection was told, and its name in a URL.
TLS = (
    *("ssl_cert_reqs", "ssl_check_hostname", "ssl_ca_certs", "ssl_ca_path"),
    *("ssl_ca_data", "ssl_certfile", "ssl_keyfile", "ssl_password"),
)
REQUIREMENTS = {None: "none", 0: "none", 1: "optional", 2: "required"}
LOGIN = ("username", "password")


def address_of(connection: Redis) -> Address:
    """Return the address that a redis-py client was made with.

    Raises:
        ConfigError: it finds its server in another way (Cluster).
    """
    pool: Any = connection.connection_pool
    if isinstance(pool, SentinelConnectionPool):
        return Address(_of_sentinels(pool), "the rq command")
    return Address(_of_server(pool), "the rq command")


def _of_server(pool: Any) -> str:  # noqa: ANN401 - redis-py leaves its pools untyped
    told: dict[str, Any] = pool.connection_kwargs
    login = ""
    if told.get("password"):
        login = f"{quote(told.get('username') or '', safe='')}:"
        login += f"{quote(told['password'], safe='')}@"
    query = {"db": told["db"]} if told.get("db") else {}
    if told.get("path"):
        url = f"unix://{login}{quote(told['path'])}"
    elif told.get("host"):
        tls = _speaks_tls(pool)
        query |= _tls(told) if tls else {}
        place = sentinel.shown(told["host"], told.get("port", 6379))
        url = f"redis{'s' * tls}://{login}{place}"
    else:
        raise ConfigError(
            f"flow.workers.Worker finds no address in a {type(pool).__name__}; "
            "give the rq command a --url"
        )
    return f"{url}?{urlencode(query)}" if query else url


def _of_sentinels(pool: Any) -> str:  # noqa: ANN401 - as above
    told: dict[str, Any] = pool.connection_kwargs
    tls = _tls(told) | {"ssl": True} if _speaks_tls(pool) else {}
    options = {name: told[name] for name in (*LOGIN, "db") if told.get(name)}
    places = [
        one.connection_pool.connection_kwargs for one in pool.sentinel_manager.sentinels
    ]
    own = pool.sentinel_manager.sentinel_kwargs
    return sentinel.url_of(
        sentinel.Sentinels(
            members=tuple((one["host"], one["port"]) for one in places),
            master=pool.service_name,
            login={name: own[name] for name in LOGIN if own.get(name)},
            options={**options, **tls},
        )
    )


def _speaks_tls(pool: Any) -> bool:  # noqa: ANN401 - as above
    return "SSL" in pool.connection_class.__name__


def _tls(told: dict[str, Any]) -> dict[str, Any]:
    known = {name: told[name] for name in TLS if told.get(name) is not None}
    if "ssl_cert_reqs" in told:
        # None and Python's numbers mean something; a URL has words for them.
        asked = told["ssl_cert_reqs"]
        known["ssl_cert_reqs"] = REQUIREMENTS.get(asked, asked)
    return known
