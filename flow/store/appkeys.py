"""AppKeys: the keys of one app's clock, and the way to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from redis.exceptions import ResponseError

from flow import keys
from flow.errors import SpoiltKey
from flow.store.scripts import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flow.store.link import Link

# What each holds, as TYPE says it; the others are hashes.
KINDS = {
    "leader": "string",
    "epoch": "string",
    "bell": "string",
    "next": "zset",
    "ledger": "stream",
}


class AppKeys:
    """Runs scripts and commands on the keys of one app's clock.

    Args:
        link: the way to the server.
        app: the app's name; two apps on one Redis never touch each other's.
    """

    def __init__(self, link: Link, app: str) -> None:
        """Prepare; nothing is read yet."""
        self._link = link
        self._app = app

    def run(self, script: str, parts: Sequence[str], arguments: Sequence[Any]) -> Any:  # noqa: ANN401 - as the script answers
        """Run a script on some of the keys.

        Raises:
            SpoiltKey: one of them holds what another program wrote.
        """
        places = [self._key(part) for part in parts]
        try:
            return self._link.run(load(script), places, arguments)
        except ResponseError as error:
            raise self._explained(error, parts) from error

    def command(self, name: str, part: str, *words: Any) -> Any:  # noqa: ANN401 - as Redis answers
        """Run a command on one of the keys.

        Raises:
            SpoiltKey: it holds what another program wrote.
        """
        try:
            return self._link.command(name, self._key(part), *words)
        except ResponseError as error:
            raise self._explained(error, [part]) from error

    def _explained(self, error: ResponseError, parts: Sequence[str]) -> SpoiltKey:
        for part in parts:
            key, wanted = self._key(part), KINDS.get(part, "hash")
            found = self._link.command("TYPE", key).decode()
            if found not in (wanted, "none"):
                return SpoiltKey(
                    f"{key} is a {found}, where flow keeps a {wanted}: another program "
                    "wrote it; delete it, and restart the clocks"
                )
        return SpoiltKey(f"Redis refuses what the clock asks for: {error}")

    def _key(self, part: str) -> str:
        return keys.clock(self._app, part)


def words(raw: Sequence[bytes]) -> list[str]:
    """Return what a script answered as text."""
    return [word(one) for one in raw]


def word(raw: bytes) -> str:
    """Return what the server sent as text."""
    # What others spoilt stays as it is, and goes back as it came.
    return raw.decode("utf-8", "surrogateescape")
