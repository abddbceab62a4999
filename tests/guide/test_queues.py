"""Queues, the urgent lane, and what a single call may say for itself."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from flow import Queue, errors
from flow.queue import path_of
from flow.workers.resolve import resolve
from tests.support.apps import Shop, Untyped, as_rq_sees, let_go
from tests.support.shop import plain, tasks
from tests.support.turns import Turns
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flow.store.client import Store


def waiting(client: Untyped, queue: str = "default") -> list[str]:
    ids: Any = client.lrange(f"rq:queue:{queue}", 0, -1)
    return [job_id.decode() for job_id in ids]


def test_a_call_goes_to_the_queue_of_its_task(
    store: Store, client: Untyped, tmp_path: Path
) -> None:
    assert store
    usual = tasks.resize.enqueue("cat.png")
    mail = tasks.send.enqueue(tmp_path, "ann")
    urgent = tasks.charge.enqueue(7)
    assert waiting(client, "default") == [usual.id]
    assert waiting(client, "mail") == [mail.id]
    assert waiting(client, "urgent") == [urgent.id]
    names: Any = client.smembers("rq:queues")
    assert names == {b"rq:queue:default", b"rq:queue:mail", b"rq:queue:urgent"}


def test_urgent_jobs_overtake_all_that_wait(shop: Shop) -> None:
    for number in range(5):
        tasks.note.enqueue(shop.ledger, f"ordinary-{number}")
    tasks.note.options(queue="urgent").enqueue(shop.ledger, "urgent")
    shop.work()
    assert shop.noted()[0] == "urgent"
    assert len(shop.noted()) == 6


def test_an_urgent_worker_takes_nothing_else(shop: Shop, client: Untyped) -> None:
    ordinary, urgent = tasks.resize.enqueue("cat.png"), tasks.charge.enqueue(7)
    shop.work("--urgent")
    assert urgent.status == "finished"
    assert waiting(client) == [ordinary.id]


def test_a_worker_serves_just_the_queues_that_it_is_given_in_their_order(
    shop: Shop, client: Untyped
) -> None:
    names = ("default", "mail", "urgent")
    jobs = [tasks.note.options(queue=q).enqueue(shop.ledger, q) for q in names]
    shop.work("--queues", "mail,urgent")
    assert shop.noted() == ["mail", "urgent"]
    assert waiting(client) == [jobs[0].id]


def test_the_urgent_lane_can_have_another_name(shop: Shop) -> None:
    (shop.folder / "pyproject.toml").write_text("[tool.flow]\nurgent = 'express'\n")
    tasks.note.enqueue(shop.ledger, "ordinary")
    express = tasks.note.options(queue="express").enqueue(shop.ledger, "express")
    said = shop.work()
    assert shop.noted() == ["express", "ordinary"]
    assert express.status == "finished"
    assert "serves express, mail, default" in said


def test_a_call_may_go_to_another_queue_or_before_all_others(
    store: Store, client: Untyped
) -> None:
    assert store
    first = tasks.resize.enqueue("a.png")
    front = tasks.resize.options(at_front=True).enqueue("b.png")
    other = tasks.resize.options(queue="pictures").enqueue("c.png")
    assert waiting(client) == [front.id, first.id]
    assert waiting(client, "pictures") == [other.id]


def test_every_option_of_a_call_is_what_rq_reads(store: Store, client: Untyped) -> None:
    assert store
    job = tasks.resize.options(
        id="my-own_id",
        queue="pictures",
        at_front=True,
        timeout=30,
        retries=4,
        result_ttl=60,
        failure_ttl=120,
        ttl=240,
        description="one cat",
        meta={"user": 7},
    ).enqueue("cat.png", width=3)

    seen = as_rq_sees(job, client)

    assert job.id == seen.id == "my-own_id"
    assert seen.func_name == "tests.support.shop.tasks.resize"
    assert (seen.args, seen.kwargs) == (("cat.png",), {"width": 3})
    assert seen.origin == "pictures"
    assert seen.enqueue_at_front is True
    assert seen.timeout == 30
    assert seen.retries_left == 4
    assert (seen.result_ttl, seen.failure_ttl, seen.ttl) == (60, 120, 240)
    assert seen.description == "one cat"
    assert seen.meta == {"user": 7}
    assert seen.get_status() == "queued"
    assert seen.created_at == seen.enqueued_at
    assert 0 < client.ttl("rq:job:my-own_id") <= 240


def test_a_call_that_says_nothing_has_the_options_of_its_task_and_rqs_defaults(
    store: Store, client: Untyped, tmp_path: Path
) -> None:
    assert store
    plain = as_rq_sees(tasks.resize.enqueue("cat.png", width=3), client)
    assert plain.timeout == 180
    assert (plain.result_ttl, plain.failure_ttl, plain.ttl) == (None, None, None)
    assert plain.retries_left is None
    assert plain.meta == {}
    assert plain.description == "tests.support.shop.tasks.resize('cat.png', width=3)"

    mail = as_rq_sees(tasks.send.enqueue(tmp_path, "ann"), client)
    assert (mail.origin, mail.retries_left) == ("mail", 2)
    kept = as_rq_sees(tasks.report.enqueue(), client)
    assert kept.result_ttl == 0


def test_options_add_up_and_leave_the_task_as_it_was(
    store: Store, client: Untyped
) -> None:
    assert store
    slow = tasks.resize.options(timeout=30)
    both = as_rq_sees(slow.options(result_ttl=9).enqueue("cat.png"), client)
    assert (both.timeout, both.result_ttl) == (30, 9)
    again = as_rq_sees(slow.options(timeout=31).enqueue("cat.png"), client)
    assert (again.timeout, again.result_ttl) == (31, None)
    assert as_rq_sees(tasks.resize.enqueue("cat.png"), client).timeout == 180
    assert slow("cat.png", 3) == "cat.png at 3"


def test_a_fraction_of_a_second_is_a_timeout_too(store: Store, client: Untyped) -> None:
    assert store
    job = tasks.resize.options(timeout=0.25).enqueue("cat.png")
    assert as_rq_sees(job, client).timeout == 1, "RQ knows whole seconds"
    assert client.hget(f"rq:job:{job.id}", "flow_timeout") == b"0.25"


def test_a_job_that_waited_longer_than_its_ttl_does_not_start(
    shop: Shop, client: Untyped
) -> None:
    stale = tasks.note.options(ttl=1).enqueue(shop.ledger, "stale")
    fresh = tasks.note.options(ttl=600).enqueue(shop.ledger, "fresh")
    wait_until(
        lambda: not client.exists(f"rq:job:{stale.id}"), waiting_for="the ttl's end"
    )
    shop.work()
    assert shop.noted() == ["fresh"]
    assert fresh.status == "finished"
    with pytest.raises(errors.NoSuchJob):
        stale.result(timeout=0)


def test_an_id_of_ones_own_enqueues_once_while_the_job_is_on_its_way(
    shop: Shop, client: Untyped
) -> None:
    nightly = tasks.note.options(id="nightly-7")
    for _ in range(3):
        assert nightly.enqueue(shop.ledger, "first").id == "nightly-7"
    assert waiting(client) == ["nightly-7"]
    nightly.enqueue_in(60, shop.ledger, "later")
    assert client.zcard("rq:scheduled:default") == 0
    shop.work()
    assert shop.noted() == ["first"]


def test_an_id_of_ones_own_is_left_alone_while_its_job_runs(
    shop: Shop, client: Untyped
) -> None:
    gate = shop.gate()
    with shop.open():
        job = tasks.hold.options(id="one-at-a-time").enqueue(gate)
        wait_until(lambda: job.status == "started", waiting_for="the job's start")
        tasks.hold.options(id="one-at-a-time").enqueue(gate)
        assert waiting(client) == []
        let_go(gate, "once")
        assert job.result(timeout=60) == "once"
    shop.work()
    assert job.result(timeout=0) == "once"


def test_an_id_of_ones_own_is_free_again_once_its_job_has_ended(
    shop: Shop, client: Untyped
) -> None:
    nightly = tasks.charge.options(id="nightly-7")
    assert nightly.enqueue(1) == nightly.enqueue(2)
    shop.work()
    job = nightly.enqueue(3)
    assert job.status == "queued"
    assert client.zcard("rq:finished:urgent") == 0
    with pytest.raises(TimeoutError):
        job.result(timeout=0)  # not the old one's
    shop.work()
    assert job.result(timeout=0) == 300


def test_an_id_of_ones_own_can_replace_a_failed_or_cancelled_job(shop: Shop) -> None:
    failed = tasks.fail.options(id="a").enqueue("no cat")
    shop.work()
    canceled = tasks.resize.options(id="b").enqueue("cat.png")
    canceled.cancel()
    tasks.resize.options(id="a").enqueue("a.png")
    tasks.resize.options(id="b").enqueue("b.png")
    shop.work()
    assert failed.status == canceled.status == "finished"
    assert canceled.result(timeout=0) == "b.png at 100"


def test_one_id_cannot_be_given_to_many_calls(store: Store, client: Untyped) -> None:
    assert store
    mine = tasks.charge.options(id="mine")
    with pytest.raises(errors.InvalidCall, match="one id cannot be given to many"):
        mine.enqueue_many([(1,), (2,)])
    assert client.dbsize() == 0


def test_a_meta_that_cannot_be_pickled_is_refused(
    store: Store, client: Untyped
) -> None:
    assert store
    odd = tasks.resize.options(meta={"lock": threading.Lock()})
    with pytest.raises(errors.InvalidCall, match="meta of a job cannot be pickled"):
        odd.enqueue("cat.png")
    assert client.dbsize() == 0


@pytest.mark.parametrize(
    "function", [tasks.echo, plain.add, "tests.support.shop.plain.add"]
)
def test_a_queue_takes_a_function_or_its_path(
    function: str | Callable[..., object], store: Store
) -> None:
    job = Queue("default").enqueue(function, 2)
    claim = Turns(store).one()
    assert claim.job_id == job.id
    assert claim.data
    assert resolve(claim).name == path_of(function)


@pytest.mark.parametrize(
    "function", [lambda: None, "not a path", "send", "", "a..b", "__main__.send", 7]
)
def test_a_function_that_no_worker_could_import_is_refused(
    function: str | Callable[..., object], store: Store
) -> None:
    with pytest.raises(errors.InvalidCall, match="is no import path of a function"):
        Queue("default").enqueue(function)
    assert store.queues() == []
