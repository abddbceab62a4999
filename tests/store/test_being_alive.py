"""beat.lua and leave.lua: workers and their processes show that they live."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import rq

from flow import keys
from flow.store import beats, leftovers
from flow.store.client import BEGIN, Worker
from tests.support.proxy import proxied
from tests.support.turns import Turns, record

if TYPE_CHECKING:
    from pathlib import Path

    import redis

    from flow.store.client import Store
    from tests.support.server import Server

FIELDS = {"birth": "2026-01-01T00:00:00.000000Z", "queues": "urgent,default"}
WORKER = Worker("host.1.abc", ("urgent", "default"), ("one", "two"), FIELDS, 5, 1, 2.5)
COUNTS = ("successful_job_count", "failed_job_count", "total_working_time")


def counts(store: Store) -> list[float]:
    values = store.link.command("HMGET", keys.worker(WORKER.name), *COUNTS)
    return [float(value) for value in values]


def test_each_process_has_a_count_that_grows_with_each_beat(store: Store) -> None:
    store.beat(WORKER, 60)
    store.beat(WORKER, 60)
    assert beats.look(store, BEGIN).beats == {"one": 2, "two": 2}


def test_a_worker_is_seen_by_rq_for_its_lifetime(
    store: Store, client: redis.Redis
) -> None:
    store.beat(WORKER, 60)
    (seen,) = rq.Worker.all(connection=client)
    assert seen.name == WORKER.name
    assert list(seen.queue_names()) == ["urgent", "default"]
    assert seen.successful_job_count == 5
    assert 0 < store.link.command("TTL", keys.worker(WORKER.name)) <= 60


def test_a_beat_whose_reply_was_lost_counts_jobs_once(
    store: Store, server: Server, tmp_path: Path
) -> None:
    with proxied(server.socket, tmp_path / "p") as proxy:
        away = type(store)(replace(store.link.address, url=proxy.url))
        for done in (5, 6, 9):
            proxy.lose("beat")
            away.beat(replace(WORKER, done=done), 60)
        assert proxy.lost == 3
        away.link.close()
    assert counts(store) == [9, 1, 2.5]


def test_a_worker_is_told_that_somebody_wants_it_to_stop(store: Store) -> None:
    assert store.beat(WORKER, 60).stop is False
    asked = ("shutdown_requested_date", "2026-01-01T00:00:00.000000Z")
    store.link.command("HSET", keys.worker(WORKER.name), *asked)
    assert store.beat(WORKER, 60).stop is True


def test_a_worker_with_a_thousand_processes_beats(store: Store) -> None:
    many = replace(WORKER, processes=tuple(f"p{n}" for n in range(1000)))
    store.beat(many, 60)
    assert len(beats.look(store, BEGIN).beats) == 1000


def test_a_process_that_leaves_is_forgotten(store: Store) -> None:
    store.beat(WORKER, 60)
    store.enqueue([record()])
    turns = Turns(store)
    store.unclaim(turns.take(1))
    assert store.link.command("EXISTS", keys.turn(turns.name)) == 1
    store.leave(["one", turns.name])
    assert beats.look(store, BEGIN).beats == {"two": 1}
    assert store.link.command("EXISTS", keys.turn(turns.name)) == 0
    assert store.link.command("EXISTS", keys.worker(WORKER.name)) == 1


def test_a_worker_that_leaves_is_forgotten(store: Store) -> None:
    store.beat(WORKER, 60)
    store.leave(WORKER.processes, WORKER.name, WORKER.queues)
    left = {key.decode() for key in store.link.command("KEYS", "*")}
    assert left == {keys.QUEUES}  # the queues were announced; they stay


def test_a_queue_is_served_while_a_live_worker_names_it(store: Store) -> None:
    store.enqueue([record("urgent"), record("mail")])
    store.beat(WORKER, 60)
    assert leftovers.unserved(store, store.queues()) == ["mail"]
    store.link.command("DEL", keys.worker(WORKER.name))  # its lifetime is over
    assert leftovers.unserved(store, store.queues()) == ["mail", "urgent"]
