"""Dependencies: jobs that wait until others have finished."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flow import errors
from tests.support.apps import RQ, Shop, Untyped, let_go
from tests.support.shop import tasks
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from flow.store.client import Store


def test_a_job_runs_after_the_one_that_it_depends_on(
    shop: Shop, client: Untyped
) -> None:
    parent = tasks.note.enqueue(shop.ledger, "parent")
    child = tasks.note.options(depends_on=parent, at_front=True).enqueue(
        shop.ledger, "child"
    )
    assert child.status == "deferred"
    assert client.zscore("rq:deferred:default", child.id)

    shop.work()

    assert shop.noted() == ["parent", "child"]
    assert child.status == "finished"
    assert client.zcard("rq:deferred:default") == 0


def test_a_chain_runs_link_by_link_across_queues(shop: Shop) -> None:
    last = tasks.note.enqueue(shop.ledger, "0")
    for number in range(1, 6):
        queue = "urgent" if number % 2 else "default"
        link = tasks.note.options(depends_on=last.id, queue=queue)
        last = link.enqueue(shop.ledger, str(number))
    shop.work()
    assert last.status == "finished"
    assert shop.noted() == ["0", "1", "2", "3", "4", "5"]


def test_a_job_with_two_parents_waits_for_both(shop: Shop, client: Untyped) -> None:
    gate = shop.gate()
    quick, slow = tasks.resize.enqueue("cat.png"), tasks.hold.enqueue(gate)
    child = tasks.resize.options(depends_on=[quick, slow]).enqueue("both.png")
    stored = RQ.job.Job.fetch(child.id, connection=client)
    assert {job.id for job in stored.fetch_dependencies()} == {quick.id, slow.id}

    with shop.open():
        quick.result(timeout=60)
        wait_until(lambda: slow.status == "started", waiting_for="the second parent")
        assert child.status == "deferred"
        let_go(gate, "done")
        assert child.result(timeout=60) == "both.png at 100"


def test_a_parent_that_has_finished_already_holds_nobody_up(shop: Shop) -> None:
    parent = tasks.resize.enqueue("cat.png")
    shop.work()
    child = tasks.resize.options(depends_on=parent).enqueue("dog.png")
    assert child.status == "queued"


def test_a_parent_that_fails_leaves_its_dependents_waiting(
    shop: Shop, client: Untyped
) -> None:
    parent = tasks.fail.enqueue("no cat")
    child = tasks.resize.options(depends_on=parent).enqueue("cat.png")
    shop.work()
    assert parent.status == "failed"
    assert child.status == "deferred"
    late = tasks.resize.options(depends_on=parent).enqueue("cat.png")
    assert late.status == "deferred"

    # Somebody mends it, and runs it again with RQ's own verbs.
    again = RQ.job.Job.fetch(parent.id, connection=client)
    again.args = ()
    again.func_name = "tests.support.shop.plain.Account.fee"
    again.kwargs = {"amount": 100}
    again.save()
    again.requeue()
    shop.work()
    assert parent.status == "finished"
    assert child.status == late.status == "finished"


def test_a_parent_that_is_retried_releases_its_dependents_once(shop: Shop) -> None:
    parent = tasks.send.enqueue(shop.ledger, "ann")
    child = tasks.note.options(depends_on=parent).enqueue(shop.ledger, "child")
    shop.work()
    assert child.status == "finished"
    assert shop.noted() == ["ann", "ann", "ann", "child"]


def test_a_parent_whose_result_is_not_kept_releases_its_dependents(shop: Shop) -> None:
    parent = tasks.report.enqueue()
    child = tasks.resize.options(depends_on=parent).enqueue("cat.png")
    shop.work()
    assert child.result(timeout=0) == "cat.png at 100"


def test_a_parent_that_is_cancelled_leaves_its_dependents_waiting(shop: Shop) -> None:
    parent = tasks.resize.enqueue("cat.png")
    child = tasks.resize.options(depends_on=parent).enqueue("cat.png")
    parent.cancel()
    shop.work()
    assert child.status == "deferred"


def test_a_dependent_that_is_cancelled_does_not_come_back(shop: Shop) -> None:
    parent = tasks.resize.enqueue("cat.png")
    child = tasks.note.options(depends_on=parent).enqueue(shop.ledger, "never")
    child.cancel()
    shop.work()
    assert parent.status == "finished"
    assert child.status == "canceled"
    assert shop.noted() == []


def test_a_parent_that_does_not_exist_is_refused_and_nothing_is_enqueued(
    store: Store, client: Untyped
) -> None:
    assert store
    parent = tasks.resize.enqueue("cat.png")
    child = tasks.resize.options(depends_on=[parent, "no-such-job"])
    with pytest.raises(errors.InvalidCall, match="no job 'no-such-job' to depend on"):
        child.enqueue("cat.png")
    with pytest.raises(errors.InvalidCall, match="no job 'no-such-job' to depend on"):
        child.enqueue_many([("cat.png",)] * 3)
    keys = sorted(key.decode() for key in client.keys("*"))
    assert keys == [f"rq:job:{parent.id}", "rq:queue:default", "rq:queues"]


def test_many_jobs_may_wait_for_one(shop: Shop) -> None:
    parent = tasks.resize.enqueue("cat.png")
    children = tasks.charge.options(depends_on=parent).enqueue_many(
        [(n,) for n in range(500)]
    )
    shop.work()
    assert [job.result(timeout=0) for job in children] == [n * 100 for n in range(500)]


def test_more_parents_than_a_call_may_write_are_refused(shop: Shop) -> None:
    many = [f"job-{n}" for n in range(1001)]
    with pytest.raises(
        errors.InvalidCall, match=r"^depends_on names 1,001 jobs; a job"
    ):
        tasks.note.options(depends_on=many).enqueue(shop.ledger, "child")
