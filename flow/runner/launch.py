"""Starts the process of a dyno, with all that looks after it, and lets it go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.runner.ports import WEB

if TYPE_CHECKING:
    from flow.runner.dyno import Dyno
    from flow.runner.printer import Printer
    from flow.runner.reaper import Reaper
    from flow.runner.streams import Streams


class Launch:
    """The way of a dyno's process into the session, and out of it.

    Args:
        reaper: buries what ends.
        streams: reads what it writes.
        printer: tells the person in front of the screen.
    """

    def __init__(self, reaper: Reaper, streams: Streams, printer: Printer) -> None:
        """Start nothing yet."""
        self._reaper, self._streams, self._printer = reaper, streams, printer

    def start(self, dyno: Dyno) -> None:
        """Start the next process of a dyno.

        Raises:
            OSError: it cannot be started.
        """
        if dyno.process:
            self.forget(dyno)
            dyno.restarts += 1
        one = dyno.instance
        process = dyno.plan.process(one)
        process.start()
        dyno.process = process
        self._reaper.add(process)
        self._streams.add(process)
        about = f", port {one.port}" if one.type == WEB else ""
        self._printer.say(f"{dyno.name} started (pid {process.pid}{about})")
        said = f"Starting process with command `{one.command}`"
        self._printer.note(dyno.name, said)

    def forget(self, dyno: Dyno) -> None:
        """Read the rest of what its process wrote, and look after it no more."""
        if dyno.process:
            self._streams.close(dyno.process)
            self._reaper.forget(dyno.process)
