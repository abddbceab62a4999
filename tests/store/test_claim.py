"""exchange.lua, the half that claims: who gets which job, once."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from redis.exceptions import ResponseError

from flow import codec, keys
from flow.record import Status
from tests.support.leaks import places, queued, snapshot
from tests.support.turns import Turns, finished, record, retried

if TYPE_CHECKING:
    from flow.store.client import Store


def test_what_is_claimed_is_nowhere_but_with_its_process(store: Store) -> None:
    job = record()
    store.enqueue([job])
    claim = Turns(store).one()
    assert claim.job_id == job.id
    assert places(store, job.id) == ["wip"]
    assert store.status(job.id) is Status.STARTED
    (held,) = store.held(["default"])
    assert (held.job_id, held.execution) == (job.id, claim.execution)


def test_two_processes_never_get_the_same_job(store: Store) -> None:
    store.enqueue([record() for _ in range(300)])
    one, two = Turns(store), Turns(store)
    claimed = [c.job_id for _ in range(30) for t in (one, two) for c in t.take(5)]
    assert len(claimed) == len(set(claimed)) == 300
    assert one.take(1) == two.take(1) == []


def test_executions_have_ids_that_are_never_used_again(store: Store) -> None:
    store.enqueue([record() for _ in range(20)])
    turns = Turns(store)
    claims = [claim for _ in range(6) for claim in turns.take(4)]
    assert len({claim.execution for claim in claims}) == 20
    assert all(":" not in claim.execution for claim in claims)  # it splits RQ's ids


def test_an_urgent_job_overtakes_ten_thousand_that_wait(store: Store) -> None:
    store.enqueue([record() for _ in range(10_000)])
    turns = Turns(store, "urgent", "default")
    turns.take(10)
    hurry = record("urgent")
    store.enqueue([hurry])
    assert turns.take(3)[0].job_id == hurry.id


def test_an_urgent_process_never_takes_an_ordinary_job(store: Store) -> None:
    ordinary, hurry = record(), record("urgent")
    store.enqueue([ordinary, hurry])
    turns = Turns(store, "urgent")
    assert [claim.job_id for claim in turns.take(50)] == [hurry.id]
    assert turns.take(50) == []
    assert queued(store) == [ordinary.id]


def test_queues_are_emptied_in_their_order(store: Store) -> None:
    jobs = {queue: [record(queue) for _ in range(3)] for queue in ("b", "c", "a")}
    for listed in jobs.values():
        store.enqueue(listed)
    claims = Turns(store, "a", "b", "c").take(7)
    expected = [*jobs["a"], *jobs["b"], jobs["c"][0]]
    assert [claim.job_id for claim in claims] == [job.id for job in expected]


def test_a_repeated_turn_is_answered_the_same_and_changes_nothing(
    store: Store,
) -> None:
    store.enqueue([record("urgent"), *(record() for _ in range(5))])
    turns = Turns(store, "urgent", "default")
    ask = turns.ask(3)
    first = store.exchange(ask)
    before = snapshot(store)
    assert len(first[1]) == 3
    assert store.exchange(ask) == first
    assert snapshot(store) == before


def test_a_repeated_turn_that_found_nothing_finds_nothing_later(store: Store) -> None:
    # It may wait in a dead connection while its process has gone on.
    turns = Turns(store)
    late = turns.ask(1)
    assert store.exchange(late) == ([], [])
    job = record()
    store.enqueue([job])
    assert store.exchange(late) == ([], [])
    assert turns.one().job_id == job.id


def test_a_turn_that_comes_after_a_later_one_is_refused(
    store: Store,
) -> None:
    turns = Turns(store)
    late = turns.ask(1)
    turns.take(1)
    job = record()
    store.enqueue([job])
    with pytest.raises(ResponseError, match="STALE turn 1 after 2"):
        store.exchange(late)
    assert queued(store) == [job.id]


def test_nothing_is_claimed_while_workers_are_suspended(store: Store) -> None:
    running, waiting = record(), record()
    store.enqueue([running, waiting])
    turns = Turns(store)
    claim = turns.one()
    store.link.command("SET", keys.SUSPENDED, 1)
    assert turns.take(5, finished(claim)) == []
    assert store.status(running.id) is Status.FINISHED
    store.link.command("DEL", keys.SUSPENDED)
    assert turns.one().job_id == waiting.id


def test_leftovers_in_a_queue_are_dropped(store: Store) -> None:
    gone, canceled, job = record(), record(), record()
    store.enqueue([gone, canceled, job])
    store.link.command("DEL", keys.job(gone.id))
    store.link.command("HSET", keys.job(canceled.id), "status", "canceled")
    assert [claim.job_id for claim in Turns(store).take(5)] == [job.id]
    assert queued(store) == []
    store.link.command("DEL", keys.job(canceled.id))


def test_a_second_copy_of_an_id_runs_once(store: Store) -> None:
    job = record()
    store.enqueue([job])
    store.link.command("RPUSH", keys.queue("default"), job.id)  # RQ's own retry may
    assert len(Turns(store).take(5)) == 1
    assert places(store, job.id) == ["wip"]


def test_a_key_of_another_type_does_not_stop_the_queue(
    store: Store,
) -> None:
    spoilt, job = record(), record()
    store.enqueue([spoilt, job])
    store.link.command("SET", keys.job(spoilt.id), "no hash", "EX", 60)
    assert [claim.job_id for claim in Turns(store).take(5)] == [job.id]


def test_small_payloads_travel_and_large_ones_are_fetched(store: Store) -> None:
    sizes = (10, 200_000, 5_000_000, 70_000)
    values = [bytes(size) + record().id.encode() for size in sizes]
    store.enqueue([record("default", "a.path", value) for value in values])
    claims = Turns(store).take(4)
    packed = [claim.data for claim in claims]
    assert None not in packed
    assert [codec.unpack_invocation(data or b"").args[0] for data in packed] == values


def test_more_than_a_megabyte_of_small_payloads_comes_whole(store: Store) -> None:
    values = [codec.iso(n).encode() * 2000 for n in range(40)]  # compress badly enough
    store.enqueue([record("default", "a.path", value) for value in values])
    claims = Turns(store).take(40)
    found = [codec.unpack_invocation(claim.data or b"").args[0] for claim in claims]
    assert found == values


def test_a_claim_brings_what_the_hash_says(store: Store) -> None:
    job = replace(
        record(), timeout=7.5, retries=4, result_ttl=0, failure_ttl=9, on_crash="fail"
    )
    store.enqueue([job])
    claim = Turns(store).one()
    assert (claim.timeout, claim.retries_left, claim.result_ttl) == (7.5, 4, 0)
    assert (claim.failure_ttl, claim.on_crash, claim.attempts) == (9, "fail", 0)


def test_odd_numbers_of_another_client_are_read_as_rqs_defaults(store: Store) -> None:
    job = record()
    store.enqueue([job])
    odd = ("timeout", "soon", "result_ttl", "x", "retry_intervals", "{", "ttl", "?")
    store.link.command("HSET", keys.job(job.id), *odd)
    claim = Turns(store).one()
    assert (claim.timeout, claim.result_ttl, claim.intervals) == (180, 500, None)


def expires(store: Store, key: str) -> int:
    """Return when a key ends, in ms; Redis has PEXPIRETIME only from 7 on."""
    script = "local now = redis.call('TIME'); local left = redis.call('PTTL', KEYS[1])"
    script += " return now[1] * 1000 + now[2] / 1000 + left"
    return int(store.link.command("EVAL", script, 1, key))


def test_a_job_does_not_expire_while_it_runs_and_does_when_put_back(
    store: Store,
) -> None:
    job = replace(record(), ttl=100)
    store.enqueue([job])
    key, turns = keys.job(job.id), Turns(store)
    due = expires(store, key)
    claim = turns.one()
    assert store.link.command("TTL", key) == -1
    store.unclaim([claim])
    assert abs(expires(store, key) - due) < 1000
    again = turns.one()
    assert store.link.command("TTL", key) == -1
    turns.settle(retried(again))
    assert abs(expires(store, key) - due) < 1000


def test_the_score_of_what_runs_is_out_of_reach_of_rqs_readers(store: Store) -> None:
    usual, endless = record(), replace(record(), timeout=-1)
    store.enqueue([usual, endless])
    for claim in Turns(store).take(2):
        member = f"{claim.job_id}:{claim.execution}"
        score = store.link.command("ZSCORE", keys.wip("default"), member)
        assert float(score) > time.time() + 80_000


def test_a_server_that_forgot_its_scripts_is_told_them_again(store: Store) -> None:
    job = record()
    store.enqueue([job])
    turns = Turns(store)
    store.link.command("SCRIPT", "FLUSH")
    assert turns.one().job_id == job.id
