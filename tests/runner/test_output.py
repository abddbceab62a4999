from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from typing import Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow.runner.output.lines import LONG, Lines
from flow.runner.output.prefix import Prefixes, Style, wants_colours
from flow.runner.output.printer import PROMPT, Printer
from flow.runner.output.sink import Sink

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


class Screen:
    """A printer whose output is a file, read back when all is said."""

    def __init__(self, style: Style | None = None) -> None:
        self.clock = Moved()
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed on exit
        before = Prefixes(
            NAMES, style or Style(), lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        )
        self.printer = Printer(Sink(self._file.fileno()), before.lines, self.clock)

    def prompt(self) -> None:
        self.clock.now += PROMPT
        self.printer.show_prompts()

    @property
    def text(self) -> bytes:
        self._file.seek(0)
        return self._file.read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def lines_of(name: str, text: bytes) -> bytes:
    """Return what one process said, without what stands before its lines."""
    label = f"{name:8} | ".encode()
    own = [line for line in text.split(b"\n") if line.startswith(label)]
    return b"".join(line.removeprefix(label) + b"\n" for line in own)


def in_lines(data: bytes) -> bytes:
    return data if not data or data.endswith(b"\n") else data + b"\n"


@given(CHUNKS)
def test_bytes_out_are_bytes_in_and_in_order(chunks: list[tuple[str, bytes]]) -> None:
    with Screen() as screen:
        for name, data in chunks:
            screen.printer.feed(name, data)
        for name in NAMES:
            screen.printer.finish(name)
        for name in NAMES:
            written = b"".join(data for who, data in chunks if who == name)
            assert lines_of(name, screen.text) == in_lines(written)


@given(CHUNKS, st.data())
def test_a_prompt_adds_nothing_but_line_ends(
    chunks: list[tuple[str, bytes]], draw: st.DataObject
) -> None:
    with Screen() as screen:
        for name, data in chunks:
            screen.printer.feed(name, data)
            if draw.draw(st.booleans()):
                screen.prompt()
        for name in NAMES:
            screen.printer.finish(name)
        for name in NAMES:
            written = b"".join(data for who, data in chunks if who == name)
            shown = lines_of(name, screen.text)
            assert shown.replace(b"\n", b"") == written.replace(b"\n", b"")


def test_lines_are_held_back_until_they_are_finished() -> None:
    with Screen() as screen:
        screen.printer.feed("web.1", b"one ")
        screen.printer.feed("worker.1", b"two\n")
        screen.printer.feed("web.1", b"line\n")
        assert screen.text == b"worker.1 | two\nweb.1    | one line\n"


def test_a_prompt_is_shown_and_its_line_goes_on() -> None:
    with Screen() as screen:
        screen.printer.feed("web.1", b"name? ")
        assert screen.text == b""
        screen.prompt()
        assert screen.text == b"web.1    | name? "
        screen.printer.feed("web.1", b"Ada\n")
        assert screen.text == b"web.1    | name? Ada\n"


def test_another_process_begins_a_line_of_its_own_after_a_prompt() -> None:
    with Screen() as screen:
        screen.printer.feed("web.1", b"name? ")
        screen.prompt()
        screen.printer.feed("worker.1", b"hello\n")
        screen.printer.feed("web.1", b"Ada\n")
        assert screen.text == b"web.1    | name? \nworker.1 | hello\nweb.1    | Ada\n"


def test_a_line_that_was_cut_is_not_ended_twice() -> None:
    with Screen() as screen:
        screen.printer.feed("web.1", b"what print() says")
        screen.prompt()
        screen.printer.feed("worker.1", b"hello\n")
        screen.printer.feed("web.1", b"\n\nnext\n")
        assert lines_of("web.1", screen.text) == b"what print() says\n\nnext\n"


def test_a_line_in_the_middle_of_much_waits_for_its_end() -> None:
    with Screen() as screen:
        screen.printer.feed("web.1", b"x" * 5000)
        screen.prompt()
        assert screen.text == b""


def test_an_unfinished_last_line_is_ended() -> None:
    with Screen() as screen:
        screen.printer.feed("web.1", b"bye")
        screen.printer.finish("web.1")
        screen.printer.finish("web.1")
        assert screen.text == b"web.1    | bye\n"


def test_a_line_of_a_megabyte_is_whole_and_an_endless_one_is_not_kept() -> None:
    lines = Lines(lambda: b"> ")
    for _ in range(16):
        assert lines.feed(b"x" * 65536) == b""
    assert lines.feed(b"\n") == b"> " + b"x" * (1 << 20) + b"\n"
    shown = sum(len(lines.feed(b"x" * 65536)) for _ in range(1600))
    assert shown >= 1600 * 65536 - LONG


def test_a_line_can_stand_alone_or_with_the_time() -> None:
    with Screen(Style(names=False)) as plain, Screen(Style(times=True)) as timed:
        plain.printer.feed("web.1", b"a\nb\n")
        timed.printer.feed("web.1", b"a\n")
        assert plain.text == b"a\nb\n"
        assert timed.text == b"03:04:05 web.1    | a\n"


def test_each_type_has_a_colour_and_the_text_has_none() -> None:
    with Screen(Style(colours=True)) as screen:
        screen.printer.feed("web.1", b"a\n")
        screen.printer.feed("worker.1", b"b\n")
        first, second, _ = screen.text.split(b"\n")
        assert first == b"\x1b[36mweb.1    | \x1b[0ma"
        assert second == b"\x1b[33mworker.1 | \x1b[0mb"


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "0"}, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ({"NO_COLOR": "", "FORCE_COLOR": "1"}, True),
    ],
)
def test_colours_are_a_matter_of_the_environment(
    environ: dict[str, str], *, wanted: bool
) -> None:
    with tempfile.TemporaryFile() as file:
        assert wants_colours(file.fileno(), environ) is wanted
