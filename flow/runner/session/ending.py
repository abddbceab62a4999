"""How a session ended, and the exit codes that say so."""

from __future__ import annotations

import contextlib
import signal
from dataclasses import dataclass

from flow.runner.session.signals import Order

# Exit codes that are not a process's own.
TIMED_OUT = 124  # as timeout(1) says it
NOT_STARTED = 126
INTERRUPTED = 130
KILLED = 137
UNREAD = 141  # nobody reads our output, as SIGPIPE says it


@dataclass(frozen=True, slots=True)
class Ending:
    """How a session ended.

    Args:
        code: 0, or the exit code of the first process that failed; a stop that was
            asked for is no failure (0), but for Ctrl-C (130).
        asked: whether somebody stopped it, rather than a process that ended.
    """

    code: int
    asked: bool


ORDERED = {
    Order.STOP: Ending(0, asked=True),
    Order.INTERRUPT: Ending(INTERRUPTED, asked=True),
    Order.KILL: Ending(KILLED, asked=True),
}


SAID = {
    Order.STOP: "stopping",
    Order.INTERRUPT: "stopping; Ctrl-C again kills at once",
    Order.KILL: "killing",
    Order.SUSPEND: "Ctrl-Z stops nothing here: Ctrl-C ends the session, flow start "
    "--daemon leaves the terminal",
}


def in_words(code: int) -> str:
    """Say an exit code in words, such as ``ended with exit code 1``."""
    with contextlib.suppress(ValueError):
        if code > 128:  # noqa: PLR2004 - the shells' rule for a signal
            return f"was ended by {signal.Signals(code - 128).name}"
    return f"ended with exit code {code}"
