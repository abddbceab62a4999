"""Sentinels as a URL names them: who they are, and which master they watch.

``redis+sentinel://user:password@h1:26379,h2,h3/mymaster/0`` is the form that docket,
Prefect and redis-sentinel-url read. See decision 42.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from redis import connection

from flow.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEME = re.compile(r"redis(s?)\+sentinel://", re.IGNORECASE)
HOST = re.compile(r"(\[[0-9a-fA-F:.%]+\]|[^\[\]:@/,]+)(?::([0-9]{1,5}))?")
PORT = 26379
OWN = ("sentinel_username", "sentinel_password")


@dataclass(frozen=True, slots=True)
class Sentinels:
    """What a URL says.

    Args:
        members: host and port of each sentinel.
        master: the name of what they watch.
        login: the user and password of the sentinels themselves.
        options: what connections to the servers are made with; with ``ssl`` among
            them, those to the sentinels speak TLS too.
    """

    members: tuple[tuple[str, int], ...]
    master: str
    login: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)
    options: Mapping[str, Any] = field(default_factory=dict[str, Any], hash=False)


def names_sentinels(url: str) -> bool:
    """Return whether a URL names sentinels rather than a server."""
    return SCHEME.match(url) is not None


def read(url: str) -> Sentinels:
    """Return what a URL says of sentinels.

    Raises:
        ConfigError: it is not of the form above; the message holds no part of it.
    """
    scheme = SCHEME.match(url)
    place, _, query = url[scheme.end() if scheme else 0 :].partition("?")
    authority, _, path = place.partition("/")
    login, at, hosts = authority.rpartition("@")
    master, _, db = path.partition("/")
    if not master:
        raise ConfigError("it names no master")
    if db and not (db.isascii() and db.isdigit()):
        raise ConfigError("what follows the master is no number")
    told = parse_qsl(query)
    own = {name: value for name, value in told if name.startswith("sentinel_")}
    if odd := sorted(set(own) - set(OWN)):
        raise ConfigError(f"it has an option {odd[0]}; known: {', '.join(OWN)}")
    rest = urlencode([(name, value) for name, value in told if name not in own])
    options = _options(f"redis://{login}{at}localhost/{db}?{rest}")
    return Sentinels(
        members=tuple(_member(host) for host in hosts.split(",")),
        master=unquote(master),
        login={name.removeprefix("sentinel_"): value for name, value in own.items()},
        options={**options, "ssl": True} if scheme and scheme[1] else options,
    )


def url_of(sentinels: Sentinels) -> str:
    """Return a URL that says this."""
    options = dict(sentinels.options)
    scheme = "rediss" if options.pop("ssl", False) else "redis"
    user, password = options.pop("username", ""), options.pop("password", "")
    login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if password else ""
    hosts = ",".join(shown(*member) for member in sentinels.members)
    path = f"{quote(sentinels.master, safe='')}/{options.pop('db', None) or 0}"
    own = {f"sentinel_{name}": value for name, value in sentinels.login.items()}
    query = urlencode({**options, **own})
    return f"{scheme}+sentinel://{login}{hosts}/{path}{'?' * bool(query)}{query}"


def shown(host: str, port: int) -> str:
    """Return a place as URLs have it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _member(text: str) -> tuple[str, int]:
    found = HOST.fullmatch(text)
    if not found:
        raise ConfigError("its hosts are not host:port,host:port")
    return found[1].strip("[]"), int(found[2] or PORT)


def _options(url: str) -> dict[str, Any]:
    """Return what redis-py reads in the URL of a server."""
    untyped: Any = connection
    options: dict[str, Any] = untyped.parse_url(url)
    del options["host"]
    return options
