"""Stalls: what stands behind a job that keeps the interpreter is taken back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from flow import codec
from flow.errors import ServerUnreachable
from flow.store.client import Store
from flow.workers.board import Board, number
from flow.workers.process import Process
from flow.workers.settler import Settler
from flow.workers.stalls import Stalls
from tests.support.leaks import places, queued
from tests.support.proxy import proxied
from tests.support.turns import Turns, finished, record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flow.record import Claim
    from flow.workers.board import Part
    from tests.support.server import Server


class Still:
    """A process that has claimed some jobs and stands still in the first."""

    def __init__(self, store: Store, part: Part, jobs: int) -> None:
        self.part = part
        self.turns = Turns(store)
        self.process = Process(0, 0, part, -1, -1, 0.0, self.turns.name)
        records = [record() for _ in range(jobs)]
        store.enqueue(records)
        self.ids = [one.id for one in records]
        self.claims = self.turns.take(jobs)
        self.part.claimed = jobs
        self.at = 1000.0

    def stalls(self, store: Store) -> Stalls:
        """Return who looks at it, and at nothing else."""
        named = ["default"]
        settler = Settler(store, "w")
        return Stalls(store, settler, named, lambda: [self.process], lambda: self.at)

    def look(self, stalls: Stalls, times: int = 5) -> list[float | None]:
        """Have it looked at, some hundredths of a second after each other."""
        waits: list[float | None] = []
        for _ in range(times):
            waits.append(stalls.run_once())
            self.at += 0.012
        return waits

    def begin(self, claim: Claim) -> bool:
        return self.part.begin(number(claim.execution))


@pytest.fixture
def part() -> Iterator[Part]:
    board = Board(1, 100)
    part = board.part(0)
    part.clear()
    yield part
    board.close()


def test_what_stands_behind_goes_back_in_its_order(store: Store, part: Part) -> None:
    still = Still(store, part, 5)
    assert still.begin(still.claims[0])
    later = record()
    store.enqueue([later])
    still.look(still.stalls(store))
    assert queued(store) == [*still.ids[1:], later.id]
    assert places(store, still.ids[0]) == ["wip"]
    assert [still.begin(claim) for claim in still.claims[1:]] == [False] * 4


def test_what_is_idle_or_goes_on_keeps_what_it_claimed(
    store: Store, part: Part
) -> None:
    still = Still(store, part, 5)
    stalls = still.stalls(store)
    assert still.look(stalls)[-1] is None  # nothing runs
    still.begin(still.claims[0])
    for _ in range(10):
        still.look(stalls, 1)
        part.count(seconds=0.0, failed=False)
    assert queued(store) == []
    assert still.begin(still.claims[1])
    part.claimed = 0  # as its own thread says once all have begun
    assert still.look(stalls)[-1] is None
    assert queued(store) == []


def test_what_begins_while_it_is_withdrawn_stays(store: Store, part: Part) -> None:
    still = Still(store, part, 4)
    still.begin(still.claims[0])
    # Its process has looked for what is withdrawn before the supervisor wrote that,
    # and the supervisor looks for what runs after it.
    withdraw = part.withdraw

    def late(execution: int) -> None:
        assert still.begin(still.claims[1])
        withdraw(execution)

    part.withdraw = late  # type: ignore[method-assign]
    still.look(still.stalls(store))
    assert queued(store) == still.ids[2:]
    assert still.turns.settle(finished(still.claims[1])) == []


def test_what_both_leave_alone_the_process_puts_back(store: Store, part: Part) -> None:
    still = Still(store, part, 3)
    still.begin(still.claims[0])
    withdraw = part.withdraw
    began: list[bool] = []

    def early(execution: int) -> None:
        withdraw(execution)
        began.append(still.begin(still.claims[1]))

    part.withdraw = early  # type: ignore[method-assign]
    still.look(still.stalls(store))
    assert began == [False]
    assert queued(store) == [still.ids[2]]
    # It puts back all that it finds withdrawn; what was put back already stays there.
    store.unclaim(still.claims[1:])
    assert sorted(queued(store)) == sorted(still.ids[1:])


def test_a_claim_that_was_put_back_and_runs_elsewhere_is_not_disturbed(
    store: Store, part: Part
) -> None:
    still = Still(store, part, 3)
    still.begin(still.claims[0])
    still.look(still.stalls(store))
    other = Turns(store)
    claims = other.take(2)
    assert [claim.job_id for claim in claims] == still.ids[1:]
    assert store.unclaim(still.claims[1:]) == []
    assert other.settle(*map(finished, claims)) == []


def test_outcomes_of_those_before_are_sent(store: Store, part: Part) -> None:
    still = Still(store, part, 3)
    outcomes = [finished(claim) for claim in still.claims[:2]]
    for claim, outcome in zip(still.claims, outcomes, strict=False):
        still.begin(claim)
        part.outbox.put(codec.pack_outcome(outcome))
    stalls = still.stalls(store)
    still.look(stalls)
    assert places(store, still.ids[0]) == ["wip"]  # nothing runs: no need
    still.begin(still.claims[2])
    still.look(stalls)
    assert [places(store, one) for one in still.ids[:2]] == [["finished"]] * 2
    assert part.settled.numbers() == {1, 2}
    assert [why for _, why in still.turns.settle(*outcomes)] == ["lost", "lost"]


def test_a_lost_reply_puts_nothing_back_twice(
    store: Store, part: Part, server: Server, tmp_path: Path
) -> None:
    still = Still(store, part, 3)
    still.begin(still.claims[0])
    with proxied(server.socket, tmp_path / "p") as proxy:
        far = Store(replace(store.link.address, url=proxy.url))
        stalls = still.stalls(far)
        proxy.lose("unclaim", 2)
        with pytest.raises(ServerUnreachable):
            still.look(stalls)
        still.look(stalls)
        far.link.close()
    assert proxy.lost == 2
    assert queued(store) == still.ids[1:]
    assert [still.begin(claim) for claim in still.claims[1:]] == [False] * 2
