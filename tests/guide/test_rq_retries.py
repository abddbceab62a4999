"""Jobs that return RQ's Retry in flow's workers, as RQ's own would have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flow import codec
from tests.support.apps import RQ, Shop, Untyped
from tests.support.promoting import promote
from tests.support.shop import callbacks, plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.store.client import Store

WORKERS: dict[str, Callable[[Shop], str]] = {
    "flow": Shop.work,
    "rq": lambda shop: shop.rq_work("--worker-class", "rq.worker.SimpleWorker"),
}
both_workers = pytest.mark.parametrize("worker", WORKERS)


def kinds(job: Untyped) -> list[str]:
    """Return what the entries of a job's results are, the oldest first."""
    return [result.type.name for result in reversed(job.results())]


@both_workers
def test_a_job_that_returns_retry_runs_again_as_often_as_it_says(
    worker: str, shop: Shop, queue: Untyped, client: Untyped
) -> None:
    heard = RQ.Callback(callbacks.succeeded), RQ.Callback(callbacks.failed)
    # Not its own retries: those are for errors.
    own = RQ.Retry(max=5)
    kept: Untyped = {"on_success": heard[0], "on_failure": heard[1], "failure_ttl": 60}
    job = queue.enqueue(plain.again, 2, retry=own, **kept)
    slow = queue.enqueue(plain.slow_again, 1, failure_ttl=60)
    gone = queue.enqueue(plain.again, 1, failure_ttl=0)
    WORKERS[worker](shop)
    job.refresh()
    assert kinds(job) == ["RETRIED", "RETRIED", "MAX_RETRIES_EXCEEDED"]
    assert kinds(slow) == ["RETRIED", "MAX_RETRIES_EXCEEDED"]
    assert (job.get_status().value, job.number_of_retries) == ("failed", 2)
    assert (job.retries_left, client.llen(f"told:{job.id}")) == (5, 0)
    last = job.latest_result()
    assert (last.return_value.max, last.exc_string) == (2, None)
    assert last.execution_id
    assert client.zscore("rq:failed:default", job.id)
    assert 0 < client.ttl(f"rq:results:{job.id}") <= 60
    assert not client.exists(gone.key)


@both_workers
def test_a_retry_that_was_returned_may_be_for_later_and_for_the_front(
    worker: str, shop: Shop, queue: Untyped, client: Untyped
) -> None:
    later = queue.enqueue(plain.again, 1, 600, failure_ttl=60)
    first = queue.enqueue(plain.again, 1, 600, front=True, failure_ttl=60)
    WORKERS[worker](shop)
    now = client.time()[0]
    for job in (later, first):
        assert (job.get_status().value, kinds(job)) == ("scheduled", ["RETRIED"])
        due = client.zscore("rq:scheduled:default", job.id)
        assert now + 300 < due < now + 900
        job.refresh()
    flags = [job.enqueue_at_front_on_retry for job in (later, first)]
    assert flags == [False, True]


def test_a_retry_for_the_front_is_put_there_when_its_time_has_come(
    shop: Shop, queue: Untyped, client: Untyped, store: Store
) -> None:
    job = queue.enqueue(plain.again, 1, 600, front=True)
    error = queue.enqueue(
        plain.explode, "it", retry=RQ.Retry(max=1, interval=600, enqueue_at_front=True)
    )
    shop.work()
    other = queue.enqueue(plain.add, 1)
    for n, one in enumerate((job, error)):
        client.zadd("rq:scheduled:default", {one.id: n + 1})
    promote(store)
    assert queue.job_ids == [error.id, job.id, other.id]
    client.flushdb()


def test_a_retry_that_names_no_delay_is_a_failure(shop: Shop, queue: Untyped) -> None:
    job = queue.enqueue(plain.soon)
    shop.work()
    assert kinds(job) == ["FAILED"]
    assert "which is no delay" in job.latest_result().exc_string


def test_a_retry_that_json_cannot_hold_is_obeyed_as_well(
    shop: Shop, client: Untyped
) -> None:
    json = "rq.serializers.JSONSerializer"
    queue = RQ.Queue(connection=client, serializer=json)
    job = queue.enqueue(plain.again, 1)
    shop.work("--serializer", "json")
    entries = client.xrange(f"rq:results:{job.id}")
    assert [fields[b"type"] for _, fields in entries] == [b"4", b"5"]
    assert codec.used() is None
