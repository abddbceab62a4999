"""Brings the lines of all processes onto one output, in the order they came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.runner.output.prefix import OWN

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.runner.output.journal import Journal
    from flow.runner.output.lines import Lines
    from flow.runner.output.sink import Sink

PROMPT = 0.05  # seconds after which an unfinished line is shown as it is
LATER = 1.0  # the same, if it came in the middle of much: its end is on the way
MUCH = 4096  # bytes; what is written at once up to here never comes in parts
FULL = 1 << 20  # bytes kept for a slow reader before the processes have to wait


class Printer:
    """Writes what processes say, line by line, and what flow says about them.

    Args:
        sink: where to.
        lines: makes the lines of a name ready to be shown.
        clock: monotonic seconds.
    """

    journal: Journal | None = None  # where the same is kept

    def __init__(
        self,
        sink: Sink,
        lines: Callable[[str], Lines],
        clock: Callable[[], float],
    ) -> None:
        """Begin with an empty screen."""
        self.sink = sink
        self._clock = clock
        self._made, self._lines = lines, dict[str, "Lines"]()
        self._due: dict[str, float] = {}  # when to show the lines that wait
        self._open: str | None = None  # whose unfinished line is on the screen

    @property
    def full(self) -> bool:
        """Whether the reader is so far behind that the processes must wait."""
        return self.sink.size > FULL

    def feed(self, name: str, data: bytes) -> None:
        """Print what a process wrote, but for an unfinished last line."""
        lines = self._of(name)
        self._write(name, lines.feed(data))
        if self.journal:
            self.journal.feed(name, data)
        self._due.pop(name, None)
        if lines.waiting:
            patience = PROMPT if len(data) < MUCH else LATER
            self._due[name] = self._clock() + patience

    def show_prompts(self) -> None:
        """Print the unfinished lines that have waited long enough."""
        now = self._clock()
        for name in [name for name, due in self._due.items() if due <= now]:
            self._show(name)

    def prompt_in(self) -> float:
        """Return the seconds until a line has waited long enough; for ever, if none."""
        return min(self._due.values(), default=float("inf")) - self._clock()

    def finish(self, name: str) -> None:
        """Print what a process left unfinished, as a line."""
        self._due.pop(name, None)
        self._write(name, self._of(name).finish())
        if self._open == name:
            self._close_line()
        if self.journal:
            self.journal.finish(name)

    def say(self, text: str) -> None:
        """Print a line of flow's own."""
        self.feed(OWN, text.encode() + b"\n")

    def note(self, dyno: str, text: str) -> None:
        """Keep a line about a dyno in the log, where Heroku has such lines."""
        if self.journal:
            self.journal.note(dyno, text)

    def report(self, dyno: str, text: str) -> None:
        """Keep a line about a dyno in the log, and show it."""
        self.note(dyno, text)
        self._write(OWN, self._of(OWN).feed(f"{dyno}: {text}\n".encode()))

    def _of(self, name: str) -> Lines:
        if name not in self._lines:
            self._lines[name] = self._made(name)
        return self._lines[name]

    def _show(self, name: str) -> None:
        self._due.pop(name, None)
        self._write(name, self._lines[name].show())

    def _write(self, name: str, text: bytes) -> None:
        if text:
            if self._open not in (None, name):
                self._close_line()
            self._open = name if self._lines[name].open else None
            self.sink.write(text)

    def _close_line(self) -> None:
        if self._open is not None:
            self.sink.write(self._lines[self._open].cut())
            self._open = None
