"""Turns signals into orders that the session's one loop reads."""

from __future__ import annotations

import os
import signal
from enum import Enum
from typing import Self

from flow.runner.processes.guard import WATCHED


def _wake(*_: object) -> None:
    """Do nothing: the wake-up descriptor has the signal's number already."""


class Order(Enum):
    """What a signal means for a session."""

    CHILD = "a process ended"
    STOP = "stop"
    INTERRUPT = "stop, a person said so"
    KILL = "stop at once"
    SUSPEND = "Ctrl-Z, which is passed over"


MEANING = {
    signal.SIGCHLD: Order.CHILD,
    signal.SIGTERM: Order.STOP,  # may be repeated, as Heroku does: it never escalates
    signal.SIGHUP: Order.STOP,
    signal.SIGINT: Order.INTERRUPT,
    signal.SIGQUIT: Order.KILL,
    signal.SIGTSTP: Order.SUSPEND,
}


SIGNAL, LIFELINE = "signal", "lifeline"  # the two ways in which a Ctrl-C is heard of


class Signals:
    """The signals of this process, as something that a selector can wait for.

    Args:
        lifeline: what ``guard.split`` returned, or None without a guard.
    """

    def __init__(self, lifeline: int | None = None) -> None:
        """Change nothing yet: that is done on entering."""
        self._lifeline = lifeline
        self._presses = {SIGNAL: 0, LIFELINE: 0}
        self._reader, self._writer = os.pipe()

    def __enter__(self) -> Self:
        """Take over the signals, and let in those that were held back."""
        for end in (self._reader, self._writer):
            os.set_blocking(end, False)
        for number in MEANING:
            # A hang-up that is ignored was ignored by nohup, and stays so.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, _wake)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening, and hold the signals back again.

        Python takes its handlers away before it ends: a TERM that is repeated just
        then would change the exit code.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
        signal.set_wakeup_fd(-1)
        os.close(self._reader)
        os.close(self._writer)

    @property
    def sources(self) -> tuple[int, ...]:
        """The descriptors to wait for; they change when the guard is gone."""
        lifeline = () if self._lifeline is None else (self._lifeline,)
        return (self._reader, *lifeline)

    def read(self, source: int) -> list[Order]:
        """Return the orders that came in on one of the sources."""
        if source == self._lifeline:
            return self._from_guard(os.read(source, 4096))
        try:
            numbers = os.read(source, 4096)
        except BlockingIOError:
            return []
        return [order for number in numbers for order in self._from_signal(number)]

    def _from_signal(self, number: int) -> list[Order]:
        if number == signal.SIGINT:
            return [self._press(SIGNAL)]
        meaning = MEANING.get(signal.Signals(number))
        return [] if meaning is None else [meaning]

    def _from_guard(self, presses: bytes) -> list[Order]:
        if not presses:
            self._lifeline = None
            return [Order.KILL]
        return [self._press(LIFELINE) for _ in presses]

    def _press(self, way: str) -> Order:
        # Who tells both halves of flow (systemd) is heard twice: by the signal and by
        # the guard. Either may miss one (two signals can become one).
        self._presses[way] += 1
        return Order.INTERRUPT if max(self._presses.values()) == 1 else Order.KILL
