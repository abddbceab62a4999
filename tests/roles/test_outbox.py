"""Outbox: outcomes that a killed process had reached are found after its death."""

from __future__ import annotations

import mmap
import os
import signal
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from flow.codec import pack_outcome
from flow.outcome import Ending, Outcome
from flow.record import Claim
from flow.workers.outbox import JOB, SIZE, Outbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flow.workers.outbox import Packed


@pytest.fixture
def outbox() -> Iterator[Outbox]:
    memory = mmap.mmap(-1, SIZE + 64)
    yield Outbox(memory, 16)
    memory.close()


def packed(number: int, size: int = 10) -> Packed:
    claim = Claim("default", f"job-{number}", f"p-{number}", b"")
    return pack_outcome(Outcome(claim, Ending.FINISHED, 1.5, 2.5, bytes(size), 500))


def test_what_is_put_is_unsent_until_it_is_sent(outbox: Outbox) -> None:
    listed = [packed(number) for number in range(5)]
    assert all(outbox.put(one) for one in listed)
    assert outbox.unsent() == listed
    outbox.sent(3)
    assert outbox.unsent() == listed[3:]
    outbox.sent(2)
    assert outbox.unsent() == []


def test_it_is_filled_and_emptied_for_ever(outbox: Outbox) -> None:
    for turn in range(2000):
        listed = [packed(turn * 10 + number, 500) for number in range(10)]
        assert all(outbox.put(one) for one in listed)
        assert outbox.unsent() == listed
        outbox.sent(10)


def test_what_has_no_room_is_refused_and_the_rest_stays(outbox: Outbox) -> None:
    assert outbox.put(packed(1))
    assert not outbox.put(packed(2, SIZE))
    assert outbox.put(packed(3))
    assert outbox.unsent() == [packed(1), packed(3)]
    kept = 2
    while outbox.put(packed(4, 5000)):
        kept += 1
    assert len(outbox.unsent()) == kept
    outbox.sent(kept)
    assert outbox.put(packed(5, 5000))


def test_a_process_that_is_killed_while_it_writes_leaves_whole_outcomes(
    outbox: Outbox,
) -> None:
    for _ in range(20):
        outbox.clear()
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            number = 0
            while True:
                number += 1
                if outbox.put(packed(number, 300)) and number % 7 == 0:
                    outbox.sent(7)
                if number == 50:
                    os.write(writer, b".")
        os.read(reader, 1)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(reader)
        os.close(writer)
        numbers = [int(one[JOB][4:]) for one in outbox.unsent()]
        assert len(numbers) <= 7
        assert all(two == one + 1 for one, two in pairwise(numbers))


def test_a_new_process_begins_with_nothing(outbox: Outbox) -> None:
    outbox.put(packed(1))
    outbox.clear()
    assert outbox.unsent() == []
