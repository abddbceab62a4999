"""Delays: calls that must not run before their time."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from flow import Job, errors
from tests.support.apps import RQ, Shop, Untyped
from tests.support.shop import tasks

if TYPE_CHECKING:
    from flow.store.client import Store


def due(client: Untyped, job: Job[Any]) -> float:
    score: Any = client.zscore("rq:scheduled:default", job.id)
    return float(score)


def now_of(client: Untyped) -> float:
    seconds, micros = client.time()
    return float(seconds + micros / 1e6)


def test_a_delayed_job_runs_when_its_time_has_come_and_not_before(shop: Shop) -> None:
    with shop.open():
        asked = time.time()
        job = tasks.now.enqueue_in(0.5)
        assert job.status == "scheduled"
        assert job.result(timeout=60) - asked >= 0.5


def test_a_delay_counts_from_the_servers_clock(store: Store, client: Untyped) -> None:
    assert store
    before = now_of(client)
    seconds = tasks.resize.enqueue_in(60, "cat.png", width=3)
    delta = tasks.resize.enqueue_in(timedelta(minutes=2), "cat.png")
    after = now_of(client)
    assert before + 60 <= due(client, seconds) <= after + 60
    assert before + 120 <= due(client, delta) <= after + 120


def test_a_job_is_enqueued_for_an_instant_of_any_zone(
    store: Store, client: Untyped
) -> None:
    assert store
    london = datetime(2031, 7, 1, 12, 0, 0, 250_000, tzinfo=ZoneInfo("Europe/London"))
    utc = datetime(2031, 7, 1, 11, 0, 0, 250_000, tzinfo=UTC)
    jobs = [tasks.resize.enqueue_at(when, "cat.png") for when in (london, utc)]
    assert [due(client, job) for job in jobs] == [utc.timestamp()] * 2


def test_what_is_due_already_runs_at_once(shop: Shop) -> None:
    past = tasks.resize.enqueue_at(datetime(2020, 1, 1, tzinfo=UTC), "old.png")
    negative = tasks.resize.enqueue_in(-5, "older.png")
    nothing = tasks.resize.enqueue_in(0, "new.png")
    with shop.open():
        assert past.result(timeout=60) == "old.png at 100"
        assert negative.result(timeout=60) == "older.png at 100"
        assert nothing.result(timeout=60) == "new.png at 100"


def test_a_naive_datetime_names_no_instant_and_is_refused(
    store: Store, client: Untyped
) -> None:
    assert store
    naive = datetime(2031, 7, 1, 12)  # noqa: DTZ001 - that is the case
    with pytest.raises(errors.NaiveDatetime, match="has no time zone, so it names no"):
        tasks.resize.enqueue_at(naive, "cat.png")
    assert client.dbsize() == 0


@pytest.mark.parametrize("delay", ["60", None, float("nan"), float("inf"), True])
def test_a_delay_that_is_no_number_is_refused(
    store: Store, client: Untyped, delay: object
) -> None:
    assert store
    untyped: Any = tasks.resize
    with pytest.raises(errors.InvalidCall, match="a delay is a number of seconds, not"):
        untyped.enqueue_in(delay, "cat.png")
    assert client.dbsize() == 0


def test_an_instant_that_is_no_datetime_is_refused(
    store: Store, client: Untyped
) -> None:
    assert store
    untyped: Any = tasks.resize
    for when in ("2031-07-01", 1_900_000_000.0, None):
        with pytest.raises(errors.InvalidCall, match="enqueue_at takes a datetime"):
            untyped.enqueue_at(when, "cat.png")
    assert client.dbsize() == 0


def test_a_delay_does_not_wait_for_other_jobs_too(
    store: Store, client: Untyped
) -> None:
    assert store
    parent = tasks.resize.enqueue("cat.png")
    with pytest.raises(errors.InvalidCall, match="delay and depends_on exclude each"):
        tasks.resize.options(depends_on=parent).enqueue_in(60, "cat.png")
    assert client.zcard("rq:scheduled:default") == 0


def test_delayed_jobs_keep_their_queue_and_their_place(
    shop: Shop, client: Untyped
) -> None:
    urgent = tasks.charge.enqueue_in(60, 7)
    assert client.zscore("rq:scheduled:urgent", urgent.id)
    past = datetime(2020, 1, 1, tzinfo=UTC)
    behind = tasks.note.enqueue_at(past, shop.ledger, "behind")
    front = tasks.note.options(at_front=True).enqueue_at(past, shop.ledger, "front")
    with shop.open():
        behind.result(timeout=60)
        front.result(timeout=60)
    assert shop.noted() == ["front", "behind"]


def test_a_ttl_counts_from_when_the_job_may_run(store: Store, client: Untyped) -> None:
    assert store
    job = tasks.resize.options(ttl=10).enqueue_in(60, "cat.png")
    left: Any = client.ttl(f"rq:job:{job.id}")
    assert left == -1 or left >= 60


def test_rq_sees_delayed_jobs_in_its_own_registry(
    store: Store, client: Untyped
) -> None:
    assert store
    when = datetime(2031, 7, 1, 12, tzinfo=UTC)
    job = tasks.resize.enqueue_at(when, "cat.png")
    registry = RQ.registry.ScheduledJobRegistry(queue=RQ.Queue(connection=client))
    assert registry.get_job_ids() == [job.id]
    assert registry.get_scheduled_time(job.id) == when


def test_rqs_own_delayed_jobs_are_run_by_flow(shop: Shop, client: Untyped) -> None:
    plain = RQ.Queue(connection=client)
    job = plain.enqueue_in(timedelta(seconds=1), "tests.support.shop.plain.add", 1, 2)
    with shop.open():
        assert Job[int](job.id).result(timeout=60) == 3
