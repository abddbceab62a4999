"""Board: what a process shows to its supervisor, also when it has died."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from flow.workers.board import Board, number

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def board() -> Iterator[Board]:
    board = Board(2, 3)
    yield board
    board.close()


def test_an_execution_is_shown_from_its_start_until_it_is_written(
    board: Board,
) -> None:
    part = board.part(0)
    part.begin(7)
    part.count(seconds=0.5, failed=False)
    assert board.part(0).running() == {7}  # it has ended, and is not written yet
    part.end(7)
    assert board.part(0).running() == set()


def test_each_process_has_a_part_of_its_own(board: Board) -> None:
    one, two = board.part(0), board.part(1)
    one.begin(1)
    two.begin(2)
    one.load(3)
    assert (one.running(), two.running()) == ({1}, {2})
    assert (one.loading(), two.loading()) == (3, 0)


def test_as_many_executions_as_slots_are_shown_again_and_again(board: Board) -> None:
    part = board.part(1)
    for first in range(1, 3001, 3):
        for execution in range(first, first + 3):
            part.begin(execution)
        assert part.running() == {first, first + 1, first + 2}
        for execution in range(first, first + 3):
            part.end(execution)
    assert part.running() == set()


def test_an_execution_that_never_began_can_be_ended(board: Board) -> None:
    part = board.part(0)
    part.end(99)
    assert part.running() == set()


def test_what_a_killed_process_ran_is_seen_after_its_death(board: Board) -> None:
    part = board.part(0)
    pid = os.fork()
    if pid == 0:
        part.begin(41)
        part.begin(42)
        part.end(41)
        part.count(seconds=1.5, failed=True)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    assert part.running() == {42}
    assert part.counts() == (0, 1, 1.5)
    part.clear()
    assert part.running() == set()
    assert part.counts() == (0, 1, 1.5)


def test_all_processes_see_the_stop(board: Board) -> None:
    assert not board.stopping
    board.stop()
    assert board.stopping


def test_the_age_of_the_last_beat_is_measured(board: Board) -> None:
    board.beaten(lambda: 100.0)
    assert board.beat_age(lambda: 107.5) == 7.5


def test_an_executions_number_is_what_follows_the_dash() -> None:
    assert number("abcDEF123456-17") == 17
