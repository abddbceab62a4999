"""Thousands of queues: each turn of what goes round them all is a short one."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from flow import events, keys
from flow.upkeep.janitor import Janitor
from flow.upkeep.promoter import Promoter
from flow.upkeep.recoverer import LEASE, Recoverer
from tests.support.clock import Clock
from tests.support.leaks import queued
from tests.support.turns import Turns, record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flow.service import Service
    from flow.store.client import Store

Untyped = Any  # redis-py is typed in part
MANY = 5000  # queues
SHORT = 50  # calls of a turn at most, SSCAN within a script too


@pytest.fixture(autouse=True)
def many(client: Untyped) -> None:
    client.sadd(keys.QUEUES, *[keys.queue(f"queue-{n}") for n in range(MANY)])


def turns_of(service: Service, client: Untyped) -> Iterator[float | None]:
    """Take turns of a service, and see that each is short."""
    for _ in range(MANY):
        before = calls(client)
        wait = service.run_once()
        assert calls(client) - before < SHORT
        yield wait


def calls(client: Untyped) -> int:
    stats = client.info("commandstats")
    names = ("cmdstat_evalsha", "cmdstat_sscan")
    return sum(stats[name]["calls"] for name in names if name in stats)


def test_what_a_dead_process_holds_is_found_wherever_it_is(
    store: Store, client: Untyped
) -> None:
    jobs = [record(f"queue-{n}") for n in (0, MANY // 2, MANY - 1)]
    store.enqueue(jobs)
    Turns(store, *(job.queue for job in jobs)).take(3)
    clock = Clock()
    for _ in turns_of(Recoverer(store, monotonic=clock), client):
        clock.now += LEASE / 4
        if all(queued(store, job.queue) for job in jobs):
            break
    assert [queued(store, job.queue) for job in jobs] == [[job.id] for job in jobs]


def test_a_delayed_job_is_queued_whatever_its_queue(
    store: Store, client: Untyped
) -> None:
    jobs = [replace(record(f"queue-{n}"), due=1.0) for n in range(0, MANY, 500)]
    jobs += [replace(record("queue-7"), due=1.0) for _ in range(450)]
    store.enqueue(jobs)
    promoter = Promoter(store, hears=lambda: True)
    for wait in turns_of(promoter, client):
        # No bell is relied on where a round takes several turns.
        assert (wait or 0.0) <= Promoter.interval
        if client.keys("rq:scheduled:*") == []:
            break
    for queue in {job.queue for job in jobs}:
        assert len(queued(store, queue)) == sum(job.queue == queue for job in jobs)


def test_the_janitor_sees_every_queue_in_its_round(
    store: Store, client: Untyped, monkeypatch: pytest.MonkeyPatch
) -> None:
    for queue in ("queue-0", f"queue-{MANY - 1}"):
        client.zadd(keys.registry("finished", queue), {"expired": time.time() - 5})
    store.enqueue([record("queue-9"), record(f"queue-{MANY - 2}")])
    said: list[events.Event] = []
    monkeypatch.setattr(events, "_listeners", [said.extend])
    waits = list(itertools.takewhile(bool, turns_of(Janitor(store), client)))
    assert len(waits) > MANY / 1000
    assert said == [events.QueuesUnserved((f"queue-{MANY - 2}", "queue-9"))]
    assert client.keys("rq:finished:*") == []
