"""Starts the process of a dyno, with all that looks after it, and lets it go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.runner.declared.handover import address
from flow.runner.declared.ports import WEB
from flow.runner.processes.sockets import Sockets

if TYPE_CHECKING:
    import socket

    from flow.runner.output.printer import Printer
    from flow.runner.output.streams import Streams
    from flow.runner.processes.dyno import Dyno
    from flow.runner.processes.reaper import Reaper


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
        self._sockets = Sockets()

    def start(self, dyno: Dyno) -> None:
        """Start the next process of a dyno.

        Raises:
            OSError: it cannot be started.
        """
        if dyno.process:
            self.forget(dyno)
            dyno.restarts += 1
        one = dyno.instance
        process = dyno.plan.process(one, self._listener(dyno))
        process.start()
        dyno.process = process
        self._reaper.add(process)
        self._streams.add(process)
        about = f", port {one.port}" if one.type == WEB else ""
        self._printer.say(f"{dyno.name} started (pid {process.pid}{about})")
        said = f"Starting process with command `{one.command}`"
        self._printer.note(dyno.name, said)

    def close(self, port: int) -> None:
        """Listen on a port no more: what used it is not to run any more."""
        self._sockets.close(port)

    def close_all(self) -> None:
        """Listen nowhere any more."""
        self._sockets.close_all()

    def _listener(self, dyno: Dyno) -> socket.socket | None:
        port = dyno.instance.port
        if host := address(dyno.kind.handover):
            return self._sockets.of(host, port)
        self._sockets.close(port)  # it opens the port itself
        return None

    def forget(self, dyno: Dyno) -> None:
        """Read the rest of what its process wrote, and look after it no more."""
        if dyno.process:
            self._streams.close(dyno.process)
            self._reaper.forget(dyno.process)
