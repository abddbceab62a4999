"""Vigil: of a process that stands still, others still see and stop what runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from rq.job import Job

from flow import codec, keys
from flow.workers.board import Board
from flow.workers.process import Process
from flow.workers.vigil import SILENT, Vigil
from tests.support.clock import Clock
from tests.support.turns import Turns, finished, record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flow.record import Claim
    from flow.store.client import Store

Untyped = Any  # redis-py is typed in part


class Held:
    """A process whose job keeps the interpreter, and the supervisor's vigil."""

    def __init__(self, store: Store, board: Board) -> None:
        self.clock = Clock()
        self.part = board.part(0)
        self.part.clear()
        self.part.watched = self.clock()
        turns = Turns(store)
        store.enqueue([record()])
        self.claim: Claim = turns.one()
        assert self.part.begin(1)
        process = Process(0, 0, self.part, -1, -1, 0.0, turns.name)
        self.vigil = Vigil(store, "w", ["default"], lambda: [process], self.clock)
        self.shown = f"rq:execution:{self.claim.job_id}:{self.claim.execution}"

    def look(self) -> None:
        """Look twice, when the process itself has not looked for too long."""
        self.clock.now += SILENT + 1
        self.vigil.run_once()
        self.vigil.run_once()


@pytest.fixture
def held(store: Store) -> Iterator[Held]:
    board = Board(1, 10)
    held = Held(store, board)
    yield held
    held.part.end(1)
    store.unclaim([held.claim])
    store.link.command("DEL", held.shown, keys.worker("w"))
    board.close()


def test_rqs_tools_see_a_job_that_keeps_the_interpreter(
    held: Held, client: Untyped
) -> None:
    client.hset(keys.worker("w"), "state", "busy")
    held.look()
    assert client.exists(held.shown)
    assert client.hget(keys.worker("w"), "current_job") == held.claim.job_id.encode()
    assert held.part.doubted.numbers() == set()


def test_a_job_that_was_taken_away_is_to_end_though_it_keeps_the_interpreter(
    held: Held, client: Untyped
) -> None:
    Job.fetch(held.claim.job_id, connection=client).cancel()
    held.look()
    assert held.part.doubted.numbers() == {1}


def test_a_process_that_looks_itself_is_left_to_it(held: Held, client: Untyped) -> None:
    held.vigil.run_once()
    held.vigil.run_once()
    assert not client.exists(held.shown)


def test_what_has_ended_and_waits_for_the_server_is_asked_about_no_more(
    held: Held, client: Untyped
) -> None:
    assert held.part.outbox.put(codec.pack_outcome(finished(held.claim)))
    held.look()
    assert not client.exists(held.shown)
