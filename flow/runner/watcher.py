"""Waits for many descriptors at once, each attended to by its owner."""

from __future__ import annotations

import selectors
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Owner(Protocol):
    """Whoever holds a descriptor, and does what is to be done when it is ready."""

    def attend(self, descriptor: int) -> None:
        """Read or write; the descriptor may have been closed a moment ago."""
        ...


class Wanted(NamedTuple):
    """What to wait for on one descriptor.

    Args:
        events: READ, WRITE or both.
        owner: who is called.
        holder: what the descriptor belongs to; a number that was closed and opened
            again belongs to something else.
    """

    events: int
    owner: Owner
    holder: object = None


class Watcher:
    """A selector that is told each time all that is to be waited for."""

    def __init__(self) -> None:
        """Wait for nothing yet."""
        self._selector = selectors.DefaultSelector()
        self._watched: dict[int, Wanted] = {}

    def wait(self, wanted: Mapping[int, Wanted], patience: float | None) -> None:
        """Wait once, and let the owners of what is ready attend to it.

        Args:
            wanted: descriptors and their owners.
            patience: seconds to wait at most; None for ever.
        """
        # A descriptor with a new holder was closed and opened again in between: the
        # kernel has forgotten it, whatever the selector believes.
        for descriptor, known in self._watched.items():
            if wanted.get(descriptor) != known:
                self._selector.unregister(descriptor)
        for descriptor, new in wanted.items():
            if self._watched.get(descriptor) != new:
                self._selector.register(descriptor, new.events)
        self._watched = dict(wanted)
        for key, _ in self._selector.select(patience):
            self._watched[key.fd].owner.attend(key.fd)

    def __enter__(self) -> Self:
        """Open it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it; the descriptors stay open."""
        self._selector.close()
