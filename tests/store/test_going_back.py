"""unclaim.lua and recover.lua: what was claimed and did not end goes back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from flow import codec, keys
from flow.record import Status
from tests.support.leaks import places, queued
from tests.support.turns import Turns, begun, finished, record

if TYPE_CHECKING:
    from flow.record import JobRecord
    from flow.store.client import Held, Store


def held(store: Store, how: str) -> list[tuple[Held, str]]:
    return [(one, how) for one in store.held(store.queues())]


def crash(store: Store, how: str = "crashed") -> tuple[list[str], list[str]]:
    return store.recover(held(store, how), worker="w", text="ProcessLost: signal 9")


def claimed(store: Store, *jobs: JobRecord) -> Turns:
    store.enqueue(list(jobs))
    turns = Turns(store)
    assert len(turns.take(len(jobs))) == len(jobs)
    return turns


def test_what_is_given_back_waits_before_all_others_in_its_old_order(
    store: Store,
) -> None:
    jobs = [record() for _ in range(6)]
    store.enqueue(jobs)
    claims = Turns(store).take(4)
    assert store.unclaim(claims[1:]) == [c.job_id for c in reversed(claims[1:])]
    assert queued(store) == [job.id for job in jobs[1:]]


def test_what_is_given_back_goes_to_its_own_queue(store: Store) -> None:
    hurry, usual = record("urgent"), record()
    store.enqueue([hurry, usual])
    store.unclaim(Turns(store, "urgent", "default").take(2))
    assert (queued(store, "urgent"), queued(store)) == ([hurry.id], [usual.id])


def test_only_what_is_held_can_be_given_back(store: Store) -> None:
    done, canceled, deleted = record(), record(), record()
    store.enqueue([done, canceled, deleted])
    turns = Turns(store)
    claims = turns.take(3)
    turns.settle(finished(claims[0]))
    store.link.command("HSET", keys.job(canceled.id), "status", "canceled")
    store.link.command("EXPIRE", keys.job(canceled.id), 60)
    store.link.command("DEL", keys.job(deleted.id))
    assert store.unclaim(claims) == []
    assert queued(store) == []
    assert places(store, done.id) == ["finished"]


def test_what_had_not_started_goes_back_uncounted(store: Store) -> None:
    job = replace(record(), on_crash="fail")
    for _ in range(5):
        claimed(store, job)
        assert crash(store, "claimed") == ([job.id], [])
    assert queued(store) == [job.id]


def test_what_a_dead_process_held_goes_back_in_order(store: Store) -> None:
    jobs = [record() for _ in range(450)]
    claimed(store, *jobs)
    back, dead = crash(store)
    assert (len(back), dead) == (450, [])
    assert queued(store) == [job.id for job in jobs]


def test_three_crashes_make_a_dead_letter_that_says_how(store: Store) -> None:
    job = record()
    for _ in range(2):
        claimed(store, job)
        assert crash(store) == ([job.id], [])
    claimed(store)
    Turns(store).take(1)
    assert crash(store) == ([], [job.id])
    assert places(store, job.id) == ["failed"]
    assert store.link.command("TTL", keys.job(job.id)) > 0
    (entry,) = store.link.command("XRANGE", keys.results(job.id), "-", "+")
    assert codec.unpack_failure(entry[1][b"exc_string"]) == "ProcessLost: signal 9"


def test_a_stop_is_no_crash(store: Store) -> None:
    job = record()
    for _ in range(4):
        claimed(store, job)
        assert crash(store, "stopped") == ([job.id], [])


@pytest.mark.parametrize("how", ["crashed", "stopped"])
def test_what_must_not_run_twice_is_a_dead_letter_at_once(
    store: Store, how: str
) -> None:
    job = replace(record(), on_crash="fail")
    claimed(store, job)
    assert begun(store, job.id)
    assert crash(store, how) == ([], [job.id])
    assert places(store, job.id) == ["failed"]


def test_a_job_that_kills_while_it_is_loaded_is_counted(store: Store) -> None:
    job = replace(record(), on_crash="fail")  # it never started, so it may run again
    store.enqueue([job])
    for _ in range(2):
        assert len(Turns(store).take(1)) == 1
        assert crash(store, "loading") == ([job.id], [])
    assert len(Turns(store).take(1)) == 1
    assert crash(store, "loading") == ([], [job.id])


def test_a_dead_letter_is_kept_as_long_as_the_job_says(store: Store) -> None:
    job = replace(record(), on_crash="fail", failure_ttl=77)
    claimed(store, job)
    assert begun(store, job.id)
    crash(store)
    assert 70 < store.link.command("TTL", keys.job(job.id)) <= 77


def test_two_recoverers_put_a_job_back_once(store: Store) -> None:
    job = record()
    claimed(store, job)
    seen = held(store, "crashed")
    assert store.recover(seen, worker="w", text="gone") == ([job.id], [])
    assert store.recover(seen, worker="w", text="gone") == ([], [])
    assert queued(store) == [job.id]
    assert Turns(store).one().job_id == job.id
    assert store.recover(seen, worker="w", text="gone") == ([], [])
    assert places(store, job.id) == ["wip"]


def test_what_ended_or_was_deleted_meanwhile_is_left_alone(store: Store) -> None:
    done, deleted = record(), record()
    store.enqueue([done, deleted])
    turns = Turns(store)
    claim, _ = turns.take(2)
    seen = held(store, "crashed")
    turns.settle(finished(claim))
    store.link.command("DEL", keys.job(deleted.id))
    assert store.recover(seen, worker="w", text="gone") == ([], [])
    assert store.status(done.id) is Status.FINISHED
    assert store.status(deleted.id) is None


def test_a_child_that_allows_failures_runs_after_a_dead_letter(store: Store) -> None:
    parent = replace(record(), on_crash="fail")
    child = replace(record(), depends_on=(parent.id,))
    store.enqueue([parent])
    store.enqueue([child])
    store.link.command("HSET", keys.job(child.id), "allow_dependency_failures", 1)
    claimed(store)
    Turns(store).take(1)
    assert begun(store, parent.id)
    crash(store)
    assert queued(store) == [child.id]


def test_a_recoverer_knows_what_never_began_of_what_must_not_run_twice(
    store: Store,
) -> None:
    job = replace(record(), on_crash="fail")
    claimed(store, job)
    assert crash(store, "crashed") == ([job.id], [])
    again = Turns(store).one()
    assert store.protect(again)
    assert crash(store, "crashed") == ([], [job.id])


def test_a_job_that_was_lost_or_deleted_may_not_begin(store: Store) -> None:
    job = replace(record(), on_crash="fail")
    store.enqueue([job])
    lost = Turns(store).one()
    crash(store, "claimed")
    assert not store.protect(lost)
    claim = Turns(store).one()
    store.link.command("DEL", keys.job(job.id))
    assert not store.protect(claim)
    assert store.link.command("EXISTS", keys.job(job.id)) == 0


def test_a_ttl_that_passes_while_the_job_runs_begins_anew(store: Store) -> None:
    job = replace(record(), ttl=77)
    claimed(store, job)
    store.link.command("HSET", keys.job(job.id), "flow_expires", 1)
    assert crash(store, "claimed") == ([job.id], [])
    assert 70 < store.link.command("TTL", keys.job(job.id)) <= 77


def test_executions_of_rqs_own_workers_are_not_ours(store: Store) -> None:
    store.link.command("SADD", keys.QUEUES, keys.queue("default"))
    member = "some-job:0123456789abcdef0123456789abcdef"
    store.link.command("ZADD", keys.wip("default"), 1, member)
    assert store.held(["default"]) == []
