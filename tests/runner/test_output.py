from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from flow.runner.output import LONG, Lines
from flow.runner.prefix import Style, prefixes, wants_colours
from flow.runner.printer import PROMPT, Printer
from flow.runner.sink import Sink

NAMES = ["web.1", "worker.1", "clock.1"]
CHUNKS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.binary(max_size=40) | st.just(b"\n"))
)


class Moved:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def a_printer(path: Path, style: Style | None = None) -> tuple[Printer, Moved]:
    clock = Moved()
    before = prefixes(
        NAMES, style or Style(), lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    )
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    return Printer(Sink(descriptor), before, clock), clock


def said(printer: Printer, path: Path) -> bytes:
    os.close(printer.sink.fileno())
    return path.read_bytes()


def of(name: str, output: bytes) -> bytes:
    """Return the lines of one process, without what stands before them."""
    label = f"{name:8} | ".encode()
    lines = output.split(b"\n")
    return b"".join(
        line.removeprefix(label) + b"\n" for line in lines if line.startswith(label)
    )


@given(CHUNKS)
def test_bytes_out_are_bytes_in_and_in_order(
    tmp_path_factory: object, chunks: list[tuple[str, bytes]]
) -> None: ...
