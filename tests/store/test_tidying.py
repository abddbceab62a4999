"""RQ's groups and rate limits forget jobs that are gone, as RQ's maintenance has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flow.upkeep.tidier import SOON, Tidier
from tests.support.apps import RQ, Untyped
from tests.support.leaks import queued
from tests.support.shop import plain

if TYPE_CHECKING:
    from flow.store.client import Store

pytestmark = pytest.mark.leaves_keys("groups and limits of jobs that wait stay")


def group_of(client: Untyped, name: str, jobs: int) -> Untyped:
    group = RQ.group.Group.create(connection=client, name=name)
    data = [RQ.Queue.prepare_data(plain.add, args=(n,)) for n in range(jobs)]
    group.enqueue_many(RQ.Queue(connection=client), data)
    return group


def members(client: Untyped, name: str) -> int:
    count: int = client.scard(f"rq:group:{name}")
    return count


def test_a_group_forgets_jobs_that_are_gone_and_is_forgotten_with_the_last(
    store: Store, client: Untyped
) -> None:
    group_of(client, "some", 3)
    group_of(client, "none", 2)
    kept, *gone = client.smembers("rq:group:some")
    ids = [*gone, *client.smembers("rq:group:none")]
    client.delete(*[f"rq:job:{job_id.decode()}" for job_id in ids])
    assert Tidier(store).run_once() is None
    assert client.smembers("rq:group:some") == {kept}
    assert client.smembers("rq:groups") == {b"some"}
    # Until the minute is over nobody looks again, RQ's workers neither.
    assert 0 < client.ttl("rq:clean_groups") <= 60
    client.delete(f"rq:job:{kept.decode()}")
    assert Tidier(store).run_once() is None
    assert members(client, "some") == 1


def test_a_large_group_is_looked_at_in_slices(store: Store, client: Untyped) -> None:
    client.sadd("rq:groups", "large")
    client.sadd("rq:group:large", *[f"gone-{n}" for n in range(30_000)])
    tidier = Tidier(store)
    assert tidier.run_once() == SOON
    assert 0 < members(client, "large") < 30_000
    while tidier.run_once():
        pass
    assert client.keys("rq:group*") == []


def test_slots_of_jobs_that_are_gone_go_to_those_that_wait(
    store: Store, client: Untyped
) -> None:
    queue, limit = RQ.Queue(connection=client), RQ.RateLimit("api", 2)
    jobs = [queue.enqueue(plain.add, n, rate_limit=limit).id for n in range(4)]
    # One expired while it waited; one was deleted while a worker of RQ's runs it.
    client.delete(f"rq:job:{jobs[0]}", f"rq:job:{jobs[1]}")
    client.zadd(f"rq:executions:{jobs[1]}", {"x": client.time()[0] + 60})
    client.zadd("rq:rl:api:rate_limited", {jobs[2]: 1})
    Tidier(store).run_once()
    held = {job_id.decode() for job_id in client.zrange("rq:rl:api:allowed", 0, -1)}
    assert held == {jobs[1], jobs[2]}
    assert jobs[2] in queued(store)
    assert jobs[3] not in queued(store)


def test_a_limit_without_jobs_is_forgotten(store: Store, client: Untyped) -> None:
    client.sadd("rq:rl-keys", "api", "spoilt")
    client.hset("rq:rl:api", "concurrency", 1)
    client.zadd("rq:rl:api:allowed", {"gone": 1})
    assert Tidier(store).run_once() is None
    assert client.keys("rq:rl*") == []


def test_many_limits_are_looked_at_a_few_at_a_time(
    store: Store, client: Untyped
) -> None:
    for number in range(50):
        client.sadd("rq:rl-keys", f"customer-{number}")
        client.zadd(f"rq:rl:customer-{number}:allowed", {"gone": 1})
    tidier = Tidier(store)
    assert tidier.run_once() == SOON
    assert 0 < client.scard("rq:rl-keys") < 50
    while tidier.run_once():
        pass
    assert client.keys("rq:rl*") == []
