"""The floor: what the scripts cost alone, driven by a client that does nothing else.

It claims and settles as a worker does, in turns of as many jobs, but it unpacks, runs
and logs none of them: ``python -m benchmarks.floor unix:///path/of/the.socket``.
"""

from __future__ import annotations

import socket
import sys
import time
from typing import Any

import hiredis

from flow import codec, keys
from flow.outcome import Ending
from flow.record import RESULT_TTL
from flow.store.scripts import load

TURN = 50  # jobs; what a worker that runs no-ops makes of it
QUEUE = "default"
PROCESS = "thefloor-one"
WORKER = "the.floor.of.benchmarks"


class Wire:
    """A connection without redis-py.

    Args:
        path: of the server's socket.
    """

    def __init__(self, path: str) -> None:
        """Connect."""
        packer: Any = hiredis  # its functions are not typed
        self._pack, self._reader = packer.pack_command, packer.Reader()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)

    def call(self, *words: Any) -> Any:  # noqa: ANN401 - Redis answers anything
        """Send a command and return its reply."""
        self._socket.sendall(self._pack(words))
        while (reply := self._reader.gets()) is False:
            self._reader.feed(self._socket.recv(1 << 20))
        if isinstance(reply, hiredis.ReplyError):
            raise reply
        return reply


def drain(wire: Wire) -> None:
    """Claim and settle until nothing is left."""
    script = load("exchange")
    wire.call("SCRIPT", "LOAD", script.source)
    shared = (QUEUE, Ending.FINISHED.value, RESULT_TTL, 0, "")
    value = codec.pack_result(1)
    turn, done = 0, 0
    own: list[Any] = []
    while True:
        turn += 1
        ask = (PROCESS, turn, done + 1, TURN, WORKER, codec.iso(time.time()), 1, QUEUE)
        outcomes = (*shared, len(own) // codec.OWN, *own) if own else ()
        key = keys.turn(PROCESS)
        _, claims = wire.call("EVALSHA", script.sha, 1, key, *ask, *outcomes)
        if not claims and not own:
            return
        now = time.time()
        end = (codec.iso(now), now, now, value)
        own = []
        for at in range(0, len(claims), codec.CLAIM):
            own += (claims[at + 1], claims[at + 2], *end)
        done += len(own) // codec.OWN


if __name__ == "__main__":
    drain(Wire(sys.argv[1].removeprefix("unix://")))
