"""promote.lua, cancel.lua and trim.lua: jobs that wait for a time, or have ended."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from flow import keys
from flow.record import Status
from flow.store import leftovers
from tests.support.leaks import leaks, places, queued
from tests.support.promoting import promote
from tests.support.proxy import proxied
from tests.support.turns import Turns, failed, finished, record

if TYPE_CHECKING:
    from pathlib import Path

    from flow.store.client import Store
    from tests.support.server import Server

YEAR = 31_536_000


def test_what_is_due_is_queued_and_nothing_before(store: Store) -> None:
    now = time.time()
    jobs = [replace(record(), due=now + n) for n in (-2, 3600, -1)]
    store.enqueue(jobs)
    moved, wait = promote(store)
    assert moved == 2
    assert wait is not None
    assert 3500 < wait <= 3600
    assert queued(store) == [jobs[0].id, jobs[2].id]
    assert places(store, jobs[1].id) == ["scheduled"]


def test_nothing_scheduled_means_nothing_to_wait_for(store: Store) -> None:
    assert promote(store) == (0, None)


def test_a_slice_leaves_the_rest_for_the_next(store: Store) -> None:
    jobs = [replace(record(), due=n + 1.0) for n in range(5)]
    store.enqueue(jobs)
    assert promote(store, limit=3)[0] == 3
    moved, wait = promote(store, limit=3)
    assert (moved, wait) == (2, None)
    assert queued(store) == [job.id for job in jobs]


def test_one_that_was_to_be_at_the_front_is(store: Store) -> None:
    job = replace(record(), due=1.0, at_front=True)
    store.enqueue([record(), job])
    promote(store)
    assert queued(store)[0] == job.id


def test_what_was_canceled_or_deleted_meanwhile_is_not_queued(store: Store) -> None:
    canceled, deleted = (replace(record(), due=1.0) for _ in range(2))
    store.enqueue([canceled, deleted])
    store.link.command("HSET", keys.job(canceled.id), "status", "canceled")
    store.link.command("EXPIRE", keys.job(canceled.id), 60)
    store.link.command("DEL", keys.job(deleted.id))
    assert promote(store) == (0, None)
    assert queued(store) == []


def test_a_key_of_another_type_does_not_hold_up_what_is_due(store: Store) -> None:
    spoilt, job = (replace(record(), due=n) for n in (1.0, 2.0))
    store.enqueue([spoilt, job])
    store.link.command("SET", keys.job(spoilt.id), "no hash", "EX", 60)
    assert promote(store) == (1, None)
    assert queued(store) == [job.id]


@pytest.mark.parametrize("place", ["rq:scheduled:spoilt", "rq:scheduler-lock:spoilt"])
def test_a_spoilt_queue_does_not_hold_up_the_others(store: Store, place: str) -> None:
    jobs = [replace(record(), queue=name, due=1.0) for name in ("spoilt", "default")]
    store.enqueue(jobs)
    store.link.command("DEL", place)
    store.link.command("RPUSH", place, "of another type")
    promote(store)
    store.link.command("DEL", place)
    store.link.command("EXPIRE", keys.job(jobs[0].id), 60)
    assert queued(store) == [jobs[1].id]


def test_what_is_due_waits_while_another_program_keeps_its_queue(store: Store) -> None:
    jobs = [replace(record(), queue=name, due=1.0) for name in ("spoilt", "default")]
    store.enqueue(jobs)
    store.link.command("SET", "rq:queue:spoilt", "of another type")
    moved, wait = promote(store)
    assert moved == 2  # one of them only a minute on
    assert wait is not None
    assert 0 < wait < 61
    assert queued(store) == [jobs[1].id]
    store.link.command("DEL", "rq:queue:spoilt")
    assert places(store, jobs[0].id, "spoilt") == ["scheduled"]
    store.link.command("ZADD", "rq:scheduled:spoilt", 1, jobs[0].id)
    promote(store)
    assert queued(store, "spoilt") == [jobs[0].id]


def test_an_entry_left_behind_does_not_promote_another_job_of_its_id(
    store: Store,
) -> None:
    gone, job = (
        replace(record(), id="mine", chosen=True, queue=name, due=1.0)
        for name in ("former", "default")
    )
    store.enqueue([gone])
    store.link.command("DEL", keys.job("mine"))
    store.enqueue([job])
    assert promote(store) == (1, None)
    assert queued(store, "former") == []
    assert queued(store) == ["mine"]


def test_a_job_promoted_from_a_queue_that_is_not_its_own_is_not_lost(
    store: Store,
) -> None:
    job = replace(record(), due=1.0)
    store.enqueue([job])
    store.link.command("ZREM", "rq:scheduled:default", job.id)
    store.link.command("ZADD", "rq:scheduled:other", 1, job.id)
    store.link.command("SADD", "rq:queues", "rq:queue:other")
    assert promote(store) == (1, None)
    assert queued(store, "other") == [job.id]
    store.link.command("EXPIRE", keys.job(job.id), 60)


def test_what_is_put_back_waits_likewise(store: Store) -> None:
    jobs = [record() for _ in range(3)]
    store.enqueue(jobs)
    claims = Turns(store).take(3)
    store.link.command("SET", "rq:queue:default", "of another type")
    assert len(store.unclaim(claims)) == 3
    store.link.command("DEL", "rq:queue:default")
    assert all(places(store, job.id) == ["scheduled"] for job in jobs)


@pytest.mark.parametrize("where", ["queued", "scheduled", "deferred"])
def test_a_job_that_has_not_started_can_be_canceled(store: Store, where: str) -> None:
    parent, job = record(), record()
    store.enqueue([parent])
    due = time.time() + 60 if where == "scheduled" else None
    parents = (parent.id,) if where == "deferred" else ()
    store.enqueue([replace(job, due=due, depends_on=parents)])
    assert store.status(job.id) == where
    assert store.cancel(job.id) is True
    assert places(store, job.id) == ["canceled"]
    assert store.status(job.id) is Status.CANCELED
    assert store.link.command("TTL", keys.job(job.id)) == pytest.approx(YEAR, abs=60)
    assert leaks(store) == []


def test_a_canceled_child_is_not_run_when_its_parent_ends(store: Store) -> None:
    parent = record()
    child = replace(record(), depends_on=(parent.id,))
    store.enqueue([parent])
    store.enqueue([child])
    store.cancel(child.id)
    turns = Turns(store)
    turns.settle(finished(turns.one()))
    assert places(store, child.id) == ["canceled"]


def test_what_runs_has_ended_or_never_was_cannot_be_canceled(store: Store) -> None:
    done, running, canceled = record(), record(), record()
    store.enqueue([done, running, canceled])
    turns = Turns(store)
    claim, _ = turns.take(2)
    turns.settle(finished(claim))
    assert store.cancel(canceled.id) is True
    assert store.cancel(canceled.id) is False  # somebody did so before
    assert store.cancel(done.id) is False
    assert store.cancel(running.id) is False
    assert store.cancel("nobody") is None
    assert places(store, running.id) == ["wip"]


def test_a_cancel_whose_reply_was_lost_is_not_refused(
    store: Store, server: Server, tmp_path: Path
) -> None:
    job = record()
    store.enqueue([job])
    with proxied(server.socket, tmp_path / "p") as proxy:
        away = type(store)(replace(store.link.address, url=proxy.url))
        proxy.lose("cancel")
        assert away.cancel(job.id) is True
        assert proxy.lost == 1
        away.link.close()


def test_registries_forget_what_has_expired(store: Store) -> None:
    jobs = [record() for _ in range(4)]
    store.enqueue(jobs)
    turns = Turns(store)
    one, two, three, four = turns.take(4)
    turns.settle(finished(one), failed(two), finished(three), failed(four, ttl=-1))
    store.link.command("HSET", keys.job(jobs[3].id), "failure_ttl", -1)
    for room, job in (("finished", jobs[0]), ("failed", jobs[1])):
        store.link.command("ZADD", keys.registry(room, "default"), 5, job.id)
    assert leftovers.trim(store, ["default"], 10) == 2
    assert places(store, jobs[0].id) == places(store, jobs[1].id) == []
    assert places(store, jobs[2].id) == ["finished"]
    assert places(store, jobs[3].id) == ["failed"]  # kept for ever
    assert leftovers.trim(store, ["default"], 10) == 0


def test_a_canceled_entry_goes_a_year_after_the_cancel(store: Store) -> None:
    now, key = time.time(), keys.registry("canceled", "default")
    store.link.command("ZADD", key, now - YEAR - 60, "old", now - YEAR + 60, "young")
    assert leftovers.trim(store, ["default"], 10) == 1
    assert store.link.command("ZRANGE", key, 0, -1) == [b"young"]


def test_a_trim_is_a_slice(store: Store) -> None:
    key = keys.registry("finished", "default")
    for n in range(7):
        store.link.command("ZADD", key, 5, f"job-{n}")
    assert [leftovers.trim(store, ["default"], 3) for _ in range(4)] == [3, 3, 1, 0]
