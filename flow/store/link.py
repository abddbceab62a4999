"""The way to the server: runs scripts, and repeats a call whose reply was lost.

redis-py's own retries are off: they would repeat a claim blindly. Every script of
flow may be repeated as it is, so the link repeats the very same call instead.
"""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Any, Protocol

import redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    ClusterDownError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import (
    ConnectionError as Disconnected,
)
from redis.exceptions import (
    TimeoutError as NoReply,
)
from redis.retry import Retry

from flow.errors import ServerUnreachable
from flow.store.finder import UnknownMaster
from flow.store.pools import pool
from flow.store.wires import Wires

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flow.store.address import Address
    from flow.store.scripts import Script

CONNECT_TIMEOUT = 5.0  # seconds
READ_TIMEOUT = 15.0  # seconds; longer than any command of flow blocks
LONGEST_WAIT = 5.0  # seconds between two tries to reach a server that is away
PASSING = (
    *("LOADING", "OOM", "MASTERDOWN", "TRYAGAIN", "CLUSTERDOWN", "BUSY"),
    *("READONLY", "MISCONF", "NOREPLICAS"),
)
# redis-py takes the word from the text of those that it has a class for.
OF_ITS_OWN = (ReadOnlyError, OutOfMemoryError, ClusterDownError, TryAgainError)
# How servers before 7 tell that a script met one of these.
IN_A_SCRIPT = re.compile(rf"-(?:{'|'.join(PASSING)})\b")


class Patience(Protocol):
    """Decides whether a call that did not get through is tried again."""

    def __call__(self, error: Exception, delay: float) -> bool:
        """Wait ``delay`` seconds, or less; return whether to try once more."""
        ...

    def answered(self) -> None:
        """Note that a call got through."""
        ...


def connect(address: Address, timeout: float = READ_TIMEOUT) -> redis.Redis:
    """Return a client for ``address``; it connects when it is first used.

    Raises:
        ConfigError: the address is not a URL that is known here.
    """
    return redis.Redis.from_pool(pool(address, **settings(timeout)))


def settings(timeout: float = READ_TIMEOUT) -> dict[str, Any]:
    """Return what every connection of flow is made with."""
    return {
        "socket_connect_timeout": min(timeout, CONNECT_TIMEOUT),
        "socket_timeout": timeout,
        "retry": Retry(NoBackoff(), 0),
        "retry_on_timeout": False,
    }


class Link:
    """One way to one server.

    Args:
        address: the server.
        patience: asked before each further try; by default one try more, at once.
        timeout: seconds to wait for an answer; longer than any command blocks.
    """

    def __init__(
        self,
        address: Address,
        patience: Patience | None = None,
        timeout: float = READ_TIMEOUT,
    ) -> None:
        """Prepare; nothing is connected yet."""
        self.address = address
        self.redis = connect(address, timeout)
        self._wires = Wires(self.redis)
        self._patience = patience

    def run(self, script: Script, keys: Sequence[Any], args: Sequence[Any]) -> Any:  # noqa: ANN401 - a script returns anything
        """Run a script and return its reply, however often its reply gets lost.

        Raises:
            ServerUnreachable: patience ended before the server answered.
        """
        words = ("EVALSHA", script.sha, len(keys), *keys, *args)
        return self._persist(self._patience, self._evalsha, words, script)

    def command(self, *words: Any, patience: Patience | None = None) -> Any:  # noqa: ANN401 - Redis answers anything
        """Run one command that may be repeated, and return its reply.

        Args:
            words: the command.
            patience: this call's own; by default the link's.

        Raises:
            ServerUnreachable: patience ended before the server answered.
        """
        return self._persist(patience or self._patience, self._wires.command, *words)

    @property
    def connections(self) -> int:
        """How many connections this process has made: one more after each cut."""
        return self._wires.made

    def close(self) -> None:
        """Close the connections; the next call opens one again."""
        self._wires.close()
        self.redis.close()

    def _evalsha(self, words: tuple[Any, ...], script: Script) -> Any:  # noqa: ANN401 - likewise
        try:
            return self._wires.call(words)
        except NoScriptError:
            # Not run, so it can be sent again; a restart or SCRIPT FLUSH forgot it.
            self._wires.call(("SCRIPT", "LOAD", script.source))
            return self._wires.call(words)

    def _persist(
        self,
        patience: Patience | None,
        call: Callable[..., Any],
        *words: Any,  # noqa: ANN401 - likewise
    ) -> Any:  # noqa: ANN401 - likewise
        delay, tries = 0.0, 0
        while True:
            try:
                reply = call(*words)
            except RedisError as error:
                tries += 1
                if not (passing(error) or self._was_let_in(error, patience)):
                    raise explained(error, self.address) from error
                if not _again(patience, error, delay, tries):
                    raise explained(error, self.address) from error
                # A server that refuses may be no master any more: look for it anew.
                self._wires.close()
            else:
                if patience is not None:
                    patience.answered()
                return reply
            delay = longer(delay)

    def _was_let_in(self, error: RedisError, patience: Patience | None) -> bool:
        """Whether a server refuses a role that was let in before.

        That may be set right. One call is told at once, as its first one would be.
        """
        role = patience is not None and patience is self._patience
        unknown = isinstance(error, UnknownMaster) or refused(error)
        return role and unknown and self.connections > 0


def _again(
    patience: Patience | None, error: RedisError, delay: float, tries: int
) -> bool:
    if patience is not None and patience(error, delay):
        return True
    # What broke may be an old connection. A server that said nothing for so long would
    # only take as long again.
    return tries == 1 and not isinstance(error, NoReply)


def longer(delay: float) -> float:
    """Return the seconds before the next try, after one that waited ``delay``."""
    return min(LONGEST_WAIT, max(0.05, delay * 2)) * random.uniform(0.5, 1)  # noqa: S311 - so that a fleet does not return as one


def passing(error: RedisError) -> bool:
    """Whether the server may answer the same call later."""
    if refused(error):
        return False
    if isinstance(error, Disconnected | NoReply):
        return "CERTIFICATE_VERIFY_FAILED" not in str(error)
    if isinstance(error, OF_ITS_OWN):
        return True
    told = str(error)
    passing = told.startswith(PASSING) or IN_A_SCRIPT.search(told) is not None
    return isinstance(error, ResponseError) and passing


def refused(error: BaseException | None) -> bool:
    """Whether the server refuses the login; redis-py's asyncio wraps that it does."""
    while error is not None and not isinstance(error, AuthenticationError):
        error = error.__cause__
    return error is not None


def explained(error: RedisError, address: Address) -> Exception:
    """Return the error as flow says it; a fault of a script stays as it is."""
    fault = isinstance(error, ResponseError) and not passing(error)
    if fault and not refused(error):
        return error
    advice = ""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        advice = (
            "; if its certificate is self-signed, as Heroku's is, "
            "add ?ssl_cert_reqs=none to the URL"
        )
    return ServerUnreachable(f"no answer from {address}: {error}{advice}")
