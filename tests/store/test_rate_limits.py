"""RQ's rate limits in flow's scripts: who holds a slot, and who gets it next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flow import codec
from tests.support.apps import RQ, Untyped
from tests.support.leaks import queued
from tests.support.promoting import promote
from tests.support.shop import plain
from tests.support.turns import Turns, failed, finished, interrupted, retried

if TYPE_CHECKING:
    from flow.record import Claim
    from flow.store.client import Store

pytestmark = pytest.mark.leaves_keys("a job that waits for a slot stays")


@pytest.fixture
def jobs(store: Store, client: Untyped) -> list[str]:
    """Two jobs of one slot: the first waits in the queue, the second for the slot."""
    assert store
    queue, limit = RQ.Queue(connection=client), RQ.RateLimit("api", 1)
    return [queue.enqueue(plain.add, n, rate_limit=limit).id for n in range(2)]


def slots(client: Untyped) -> list[list[str]]:
    """Return who has a slot, and who waits for one."""
    rooms = ("allowed", "rate_limited")
    raw = [client.zrange(f"rq:rl:api:{room}", 0, -1) for room in rooms]
    return [[job_id.decode() for job_id in ids] for ids in raw]


def test_whatever_ends_a_job_gives_its_slot_to_the_next(
    store: Store, client: Untyped, jobs: list[str]
) -> None:
    first, second = jobs
    turns = Turns(store)
    claim = turns.one()
    assert (claim.job_id, turns.take(1)) == (first, [])
    # In one step: the same turn claims what it has let in.
    (claim,) = turns.take(1, finished(claim))
    assert (claim.job_id, slots(client)) == (second, [[second], []])
    turns.settle(failed(claim))
    assert slots(client) == [[], []]
    # A limit that nobody needs is forgotten.
    assert client.keys("rq:rl*") == []


def test_what_runs_again_at_once_keeps_its_slot(
    store: Store, client: Untyped, jobs: list[str]
) -> None:
    first, second = jobs
    turns = Turns(store)
    turns.settle(retried(turns.one()))
    assert slots(client) == [[first], [second]]
    turns.settle(interrupted(turns.one()))
    store.unclaim([turns.one()])
    crash(store, turns.one())
    assert slots(client) == [[first], [second]]
    assert queued(store) == [first]


def test_a_retry_that_waits_gives_its_slot_away_and_waits_for_one(
    store: Store, client: Untyped, jobs: list[str]
) -> None:
    first, second = jobs
    turns = Turns(store)
    turns.settle(retried(turns.one(), delay=60))
    assert slots(client) == [[second], []]
    client.zadd("rq:scheduled:default", {first: 1})
    promote(store)
    assert slots(client) == [[second], [first]]
    assert queued(store) == [second]
    turns.settle(finished(turns.one()))
    assert queued(store) == [first]


def test_a_retry_for_the_front_that_waited_for_a_slot_goes_there(
    store: Store, client: Untyped, jobs: list[str]
) -> None:
    first, _ = jobs
    client.hset(f"rq:job:{first}", "enqueue_at_front_on_retry", "1")
    turns = Turns(store)
    turns.settle(retried(turns.one(), delay=60))
    client.zadd("rq:scheduled:default", {first: 1})
    promote(store)
    other = RQ.Queue(connection=client).enqueue(plain.add, 3).id
    turns.settle(finished(turns.one()))
    assert queued(store) == [first, other]


def test_a_dead_letter_and_a_canceled_job_give_their_slot_away(
    store: Store, client: Untyped, jobs: list[str]
) -> None:
    first, second = jobs
    turns = Turns(store)
    crash(store, turns.one(), allowed=1)
    assert slots(client) == [[second], []]
    assert store.cancel(second)
    assert slots(client) == [[], []]
    assert store.status(first) == "failed"


def test_a_job_that_waits_for_a_slot_can_be_canceled(
    store: Store, client: Untyped, jobs: list[str]
) -> None:
    first, second = jobs
    assert store.cancel(second)
    assert slots(client) == [[first], []]
    assert store.status(second) == "canceled"


def test_what_waits_and_was_deleted_is_passed_over(
    store: Store, client: Untyped, jobs: list[str]
) -> None:
    _, second = jobs
    limit = RQ.RateLimit("api", 1)
    third = RQ.Queue(connection=client).enqueue(plain.add, 3, rate_limit=limit).id
    client.zadd("rq:rl:api:rate_limited", {second: 1})
    client.delete(f"rq:job:{second}")
    turns = Turns(store)
    turns.settle(finished(turns.one()))
    assert slots(client) == [[third], []]


def test_a_spoilt_limit_holds_up_no_other_job(
    store: Store, client: Untyped, jobs: list[str]
) -> None:
    client.delete("rq:rl:api")
    client.set("rq:rl:api", "not a hash", ex=60)
    turns = Turns(store)
    assert turns.settle(finished(turns.one())) == []
    assert store.status(jobs[0]) == "finished"


def crash(store: Store, claim: Claim, allowed: int = 3) -> None:
    (held,) = [one for one in store.held(["default"]) if one.job_id == claim.job_id]
    text = codec.pack_failure("gone").decode()
    store.recover([(held, "crashed")], worker="w", text=text, crashes=allowed)
