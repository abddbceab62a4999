"""Deadlines: what is to end and goes on is killed, and nothing else is."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from flow import codec
from flow.record import Claim
from flow.workers.board import ASKED, Board
from flow.workers.deadlines import HELD_UP, UNSEEN, Deadlines
from flow.workers.process import Process
from flow.workers.verdict import Reason
from tests.support.turns import finished

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flow.workers.board import Part

PATIENCE = 5.0


class Hand:
    """A clock that is turned by hand, a second at a time, as the supervisor looks."""

    def __init__(self) -> None:
        self.at = 1000.0

    def now(self) -> float:
        return self.at

    def pass_by(self, deadlines: Deadlines, seconds: int) -> None:
        for _ in range(seconds):
            self.at += 1.0
            deadlines.run_once()


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def process() -> Iterator[Process]:
    """A process that does not listen, and what it shows."""
    board = Board(1, 100)
    part = board.part(0)
    part.clear()
    # It leads a group, as a worker's processes do: a kill is the group's.
    with subprocess.Popen(["sleep", "600"], process_group=0) as program:
        yield Process(0, 0, part, -1, program.pid, 0.0, "abcdefghijkl")
        program.kill()
    board.close()


@pytest.fixture
def deadlines(process: Process, hand: Hand) -> Deadlines:
    return Deadlines(lambda: [process], PATIENCE, hand.now, hand.now)


def killed(process: Process) -> bool:
    """Return whether it was killed; a kill is sure to end it, so this may wait."""
    if not process.verdicts:
        assert os.waitpid(process.pid, os.WNOHANG) == (0, 0)
        return False
    _, status = os.waitpid(process.pid, 0)
    return os.WTERMSIG(status) == signal.SIGKILL


def ended(part: Part, number: int) -> None:
    """Leave the outcome of an execution in the outbox."""
    outcome = finished(Claim("default", "job", f"abcdefghijkl-{number}", None))
    assert part.outbox.put(codec.pack_outcome(outcome))


def test_what_runs_longer_than_its_timeout_and_the_patience_is_killed(
    process: Process, deadlines: Deadlines, hand: Hand
) -> None:
    process.part.begin(1, 10.0)
    process.part.begin(2, 100.0)
    deadlines.run_once()
    hand.pass_by(deadlines, 15)
    assert not killed(process)
    hand.pass_by(deadlines, 1)
    assert killed(process)
    assert set(process.verdicts) == {1}
    assert process.verdicts[1].reason is Reason.TIMEOUT
    assert process.verdicts[1].began == 1000.0


def test_what_has_no_timeout_or_was_given_more_time_is_left_alone(
    process: Process, deadlines: Deadlines, hand: Hand
) -> None:
    process.part.begin(1)
    process.part.begin(2, 10.0)
    process.part.allow(2, 1000.0)
    hand.pass_by(deadlines, 100)
    assert not killed(process)


def test_what_has_ended_and_waits_for_the_server_is_not_killed(
    process: Process, deadlines: Deadlines, hand: Hand
) -> None:
    for number in (1, 2):
        process.part.begin(number, 1.0)
        ended(process.part, number)
    deadlines.ask(process, 2)
    hand.pass_by(deadlines, 100)
    assert not killed(process)
    process.part.begin(3, 1.0)
    hand.pass_by(deadlines, 8)
    assert killed(process)
    assert set(process.verdicts) == {3}


def test_the_time_in_which_the_worker_stood_still_does_not_count(
    process: Process, deadlines: Deadlines, hand: Hand
) -> None:
    process.part.begin(1, 10.0)
    deadlines.ask(process, 1)
    deadlines.run_once()
    hand.at += 1000.0
    deadlines.run_once()
    assert not killed(process)
    hand.pass_by(deadlines, int(PATIENCE - HELD_UP) + 2)
    assert killed(process)


@pytest.mark.parametrize("who", ["somebody", "the process"])
def test_what_was_asked_to_end_is_killed_when_it_goes_on(
    process: Process, deadlines: Deadlines, hand: Hand, who: str
) -> None:
    process.part.begin(7, 1000.0)
    process.part.begin(8, 1000.0)
    if who == "somebody":
        deadlines.ask(process, 7)
        deadlines.tell()
    else:
        process.part.doubted.keep([7])
        deadlines.run_once()
    assert process.part.unwanted() == {7}
    hand.pass_by(deadlines, 5)
    assert not killed(process)
    hand.pass_by(deadlines, 1)
    assert killed(process)
    assert process.verdicts[7].reason is Reason.STOPPED
    assert set(process.verdicts) == {7}


def test_what_was_asked_to_end_and_has_is_forgotten(
    process: Process, deadlines: Deadlines, hand: Hand
) -> None:
    process.part.begin(7, 1000.0)
    deadlines.ask(process, 7)
    deadlines.tell()
    process.part.end(7)
    hand.pass_by(deadlines, int(UNSEEN) + 2)
    assert process.part.unwanted() == set()
    assert not killed(process)


def test_what_is_asked_to_end_before_it_begins_is_told_when_it_does(
    process: Process, deadlines: Deadlines, hand: Hand
) -> None:
    deadlines.ask(process, 7)
    hand.pass_by(deadlines, 2)
    process.part.begin(7, 1000.0)
    hand.pass_by(deadlines, 7)
    assert killed(process)


def test_what_has_not_begun_holds_up_nothing_that_runs(
    process: Process, deadlines: Deadlines
) -> None:
    for number in range(1, 2 * ASKED):
        deadlines.ask(process, number)
    process.part.begin(1, 1000.0)
    deadlines.tell()
    latest = range(ASKED + 1, 2 * ASKED)
    assert process.part.unwanted() == {1, *latest}
    assert not process.part.begin(latest[-1])


def test_more_than_can_be_asked_at_once_take_turns(
    process: Process, deadlines: Deadlines, hand: Hand
) -> None:
    for number in range(1, ASKED + 21):
        process.part.begin(number, 1000.0)
        deadlines.ask(process, number)
    deadlines.tell()
    for number in process.part.unwanted():
        process.part.end(number)
    assert process.part.unwanted() == set(range(1, ASKED + 1))
    deadlines.run_once()
    assert process.part.unwanted() == set(range(ASKED + 1, ASKED + 21))
    hand.pass_by(deadlines, 5)
    assert not killed(process)  # each has its time from when it was told
