"""A process is killed, or the server goes away, while a callback runs."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.apps import RQ
from tests.support.faults import let_go, settled
from tests.support.shop import deadly

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.store.client import Store
    from tests.support.faults import Yard
    from tests.support.server import Server

Untyped = Any  # redis-py and RQ are typed in part


@pytest.fixture
def queue(client: Untyped) -> Untyped:
    return RQ.Queue(connection=client)


def told(yard: Yard) -> list[str]:
    """Return what ran, without the processes."""
    return [line.split()[0] for line in yard.noted()]


def enqueued(
    yard: Yard, queue: Untyped, work: Callable[[str], object], callback: Untyped
) -> Untyped:
    """Enqueue a job with the same callback for either end."""
    both = {f"on_{end}": RQ.Callback(callback) for end in ("success", "failure")}
    return queue.enqueue(work, str(yard.folder), **both)


def test_a_kill_in_a_callback_is_a_crash_and_the_job_runs_again(
    yard: Yard, store: Store, queue: Untyped
) -> None:
    job = enqueued(yard, queue, deadly.work, deadly.holds)
    with yard.worker():
        *_, line = yard.expect(2)
        os.kill(int(line.split()[1]), signal.SIGKILL)
        yard.expect(4)
        let_go(yard.gate())
        settled(store)
    assert told(yard) == ["work", "callback"] * 2
    assert job.latest_result().return_value == "done"


@pytest.mark.parametrize("work", [deadly.work, deadly.fail])
def test_an_outage_during_a_callback_delays_the_outcome_and_loses_nothing(
    yard: Yard,
    store: Store,
    queue: Untyped,
    server: Server,
    work: Callable[[str], object],
) -> None:
    job = enqueued(yard, queue, work, deadly.holds)
    with yard.worker() as worker:
        yard.expect(2)
        server.kill()
        let_go(yard.gate())
        yard.said("waiting for Redis")
        server.start()
        settled(store)
        assert worker.poll() is None
    assert told(yard) == [work.__name__, "callback"]
    assert job.get_status().value == ("finished" if work is deadly.work else "failed")


def test_a_success_callback_that_needs_redis_fails_its_job_when_that_is_away(
    yard: Yard, store: Store, queue: Untyped, server: Server
) -> None:
    job = enqueued(yard, queue, deadly.work, deadly.uses_redis)
    with yard.worker():
        yard.expect(2)
        server.kill()
        let_go(yard.gate())
        yard.said("waiting for Redis")
        server.start()
        settled(store)
    # Its error is the job's, as in RQ; and then the failure callback is called.
    assert told(yard) == ["work", "callback", "callback"]
    assert job.get_status().value == "failed"
    assert "ConnectionError" in job.latest_result().exc_string
