"""Where the Redis of this process is, and who said so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flow.config import environment, find_project
from flow.errors import NoServer
from flow.store import embedded

if TYPE_CHECKING:
    from flow.config import Project

MISSING = (
    "REDIS_URL is not set and no server runs here; "
    "set it, or run flow start or flow redis start"
)


@dataclass(frozen=True, slots=True)
class Address:
    """A server's URL and where it came from.

    Args:
        url: what redis-py connects to.
        source: in words, for the start line of a worker.
    """

    url: str
    source: str

    def __str__(self) -> str:
        """Return the URL without its password, and the source."""
        return f"{masked(self.url)} ({self.source})"


def no_server(project: Project | None) -> NoServer:
    """Return the error for a Redis that is not named and does not run either."""
    if project is None:
        where = f"{Path.cwd()} is in no project: no Procfile or [tool.flow] above it"
    else:
        where = f"looked in {project.state}"
    return NoServer(f"{MISSING} ({where})")


SECRET = re.compile(r"(?i)\b(\w*(?:password|username))=[^&]*")


def masked(url: str) -> str:
    """Return ``url`` with its password hidden, before the host or in the query."""
    # By signs, not by a parser: a password that is not quoted as URLs ask for would
    # be taken for a host, a path or a query, and be shown.
    scheme, mark, rest = SECRET.sub(r"\1=***", url).partition("://")
    login, at, host = rest.rpartition("@")
    if at and not rest.startswith("/"):  # a path of a unix socket may have an @
        rest = f"{login.partition(':')[0]}:***@{host}"
    return scheme + mark + rest


def find_server(url: str | None = None, project: Project | None = None) -> Address:
    """Return the server to use: ``url``, else REDIS_URL, else the project's own.

    REDIS_URL is looked for in the environment, then in the project's .env. The
    project's own server is only joined, never started: a forgotten REDIS_URL must
    not give each machine a queue of its own.

    Raises:
        NoServer: none is named and none runs.
    """
    if url:
        return Address(url, "--redis-url")
    project = project or find_project(Path.cwd())
    told = environment(project)
    if told.get("REDIS_URL"):
        return Address(told["REDIS_URL"], "REDIS_URL")
    server = embedded.join(project.state) if project else None
    if server is None:
        raise no_server(project)
    return Address(server.url, f"the project's own server in {server.state}")
