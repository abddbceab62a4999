"""Whether a project's server is there, and there to stay."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from flow.store.embedded import address, locks
from flow.store.embedded.wire import Conversation

if TYPE_CHECKING:
    from flow.store.embedded.folder import Folder


class Greeting(Enum):
    """What came of a greeting."""

    READY = "it answers"
    LOADING = "it is reading its data"
    LEAVING = "it has no guard, so it is about to end"
    SILENT = "nobody answers"


def greet(folder: Folder, *, dismiss: bool = False) -> Greeting:
    """Say hello to the server of a project.

    Args:
        folder: the project's.
        dismiss: end a server that has no guard. Only macOS has such for longer than
            a moment; whoever starts one ends it first.
    """
    try:
        with Conversation(address.find(folder)) as server:
            answer = server.ask("PING")
            # Looked at after the answer: a guard that is gone now may have taken
            # this server with it, one that is there now has not. And this connection
            # can only reach the server of that guard, never a newer one.
            if not locks.is_held(folder.guard_lock):
                if dismiss:
                    server.ask("SHUTDOWN", "NOSAVE")
                return Greeting.LEAVING
    except OSError:
        return Greeting.SILENT
    return Greeting.LOADING if answer.startswith("-LOADING") else Greeting.READY
