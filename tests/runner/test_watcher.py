from __future__ import annotations

import os

from flow.runner.watcher import READ, Wanted, Watcher


class Reader:
    def __init__(self) -> None:
        self.read: list[bytes] = []

    def attend(self, descriptor: int) -> None:
        self.read.append(os.read(descriptor, 100))


def a_pipe(text: bytes) -> tuple[int, int]:
    reader, writer = os.pipe()
    os.write(writer, text)
    return reader, writer


def test_a_number_that_was_closed_and_opened_again_is_watched() -> None:
    owner = Reader()
    with Watcher() as watcher:
        first, writer = a_pipe(b"one")
        watcher.wait({first: Wanted(READ, owner, "first")}, 5)
        os.close(first)
        second, other = a_pipe(b"two")
        assert second == first
        watcher.wait({second: Wanted(READ, owner, "second")}, 5)
        assert owner.read == [b"one", b"two"]
        for descriptor in (second, writer, other):
            os.close(descriptor)


def test_what_is_not_wanted_any_more_is_left_alone() -> None:
    owner = Reader()
    with Watcher() as watcher:
        reader, writer = a_pipe(b"one")
        watcher.wait({reader: Wanted(READ, owner)}, 5)
        os.write(writer, b"two")
        watcher.wait({}, 0)
        assert owner.read == [b"one"]
        watcher.wait({reader: Wanted(READ, owner)}, 5)
        assert owner.read == [b"one", b"two"]
        for descriptor in (reader, writer):
            os.close(descriptor)
