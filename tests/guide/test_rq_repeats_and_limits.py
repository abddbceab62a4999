"""RQ's repeats and rate limits in flow's workers, as RQ's own would have them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.apps import RQ, Shop, Untyped
from tests.support.shop import callbacks, plain

if TYPE_CHECKING:
    from collections.abc import Callable


WORKERS: dict[str, Callable[[Shop], str]] = {
    "flow": Shop.work,
    "rq": lambda shop: shop.rq_work("--worker-class", "rq.worker.SimpleWorker"),
}
LEAVES = pytest.mark.leaves_keys("RQ's worker forgets a limit after minutes")
both_workers = pytest.mark.parametrize(
    "worker", ["flow", pytest.param("rq", marks=LEAVES)]
)


@both_workers
def test_a_repeated_job_runs_again_as_often_as_it_says(
    worker: str, shop: Shop, queue: Untyped, client: Untyped
) -> None:
    succeeded = RQ.Callback(callbacks.succeeded)
    repeat = RQ.Repeat(times=3, interval=[0, 0, 60])
    job = queue.enqueue(plain.add, 1, repeat=repeat, on_success=succeeded)
    once = queue.enqueue(plain.explode, "it", repeat=RQ.Repeat(times=3))
    last = queue.enqueue(plain.add, 2, repeat=RQ.Repeat(times=1), result_ttl=0)
    after = queue.enqueue(plain.add, 9, depends_on=job)
    WORKERS[worker](shop)
    told = client.hmget(job.key, "status", "repeats_left", "repeat_intervals")
    assert (told[:2], json.loads(told[2])) == ([b"scheduled", b"0"], [60])
    # Two runs more than the first have been; the third waits for its minute.
    assert client.llen(f"told:{job.id}") == 3
    assert len(job.results()) == 3
    assert 0 < client.ttl(f"rq:results:{job.id}") <= 500
    assert client.ttl(job.key) == -1
    now = client.time()[0]
    assert now + 30 < client.zscore("rq:scheduled:default", job.id) < now + 90
    assert after.return_value() == 9
    # Only what ends well is repeated, and the last run ends as any other.
    assert (once.get_status().value, once.repeats_left) == ("failed", 3)
    assert not client.exists(last.key)


@both_workers
def test_a_rate_limit_lets_in_the_next_as_soon_as_one_has_ended(
    worker: str, shop: Shop, queue: Untyped, client: Untyped
) -> None:
    limit = RQ.RateLimit("api", 2)
    jobs = [queue.enqueue(plain.add, n, rate_limit=limit) for n in range(4)]
    jobs.append(queue.enqueue(plain.explode, "it", rate_limit=limit))
    jobs.append(queue.enqueue(plain.add, 5, rate_limit=limit, result_ttl=0))
    jobs.append(queue.enqueue(plain.add, 6, rate_limit=limit))
    assert [job.get_status().value for job in jobs[1:3]] == ["queued", "rate_limited"]
    WORKERS[worker](shop)
    assert [job.return_value() for job in jobs[:4]] == [0, 1, 2, 3]
    assert jobs[4].get_status().value == "failed"
    assert not client.exists(jobs[5].key)
    assert jobs[6].return_value() == 6
    assert client.keys("rq:rl:api:*") == []
