"""Hard timeouts: what goes on after its timeout is ended with its process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flow import errors, keys
from flow.record import Status
from tests.support import hazards
from tests.support.apps import RQ, Untyped
from tests.support.faults import gone
from tests.support.leaks import places
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from flow.store.client import Store
    from tests.support.faults import Yard

LONG = 60.0  # seconds a wait may take at most
TIMEOUT = r"JobTimeoutException: Task exceeded maximum timeout value \(0.3 seconds\)"


def test_code_that_never_returns_is_killed_and_retried(
    yard: Yard, store: Store
) -> None:
    job = hazards.hang_in_c.enqueue(yard.ledger)
    with yard.worker("--kill-after", "0.5"):
        first, second = yard.running(2)
        with pytest.raises(errors.JobFailed, match=TIMEOUT):
            job.result(LONG)
        gone(second)
        assert hazards.echo.enqueue("next").result(LONG) == "next"
    assert first != second
    assert places(store, job.id) == ["failed"]
    fields = ("flow_attempts", "flow_crashes", "retries_left")
    read = store.link.command("HMGET", keys.job(job.id), *fields)
    assert read == [b"1", None, b"0"]
    assert "failed, again in 0.0 s: tests.support.hazards.hang_in_c" in yard.log()


def test_code_that_keeps_the_interpreter_is_killed_and_its_neighbours_run_again(
    yard: Yard, store: Store
) -> None:
    neighbour = hazards.ahold.enqueue(yard.ledger)
    with yard.worker("--kill-after", "0.5"):
        yard.running()
        job = hazards.hang_with_the_interpreter.enqueue(yard.ledger)
        with pytest.raises(errors.JobFailed, match=TIMEOUT):
            job.result(LONG)
        yard.running(3)
        wait_until(
            lambda: neighbour.status is Status.STARTED,
            timeout=LONG,
            waiting_for="its second run",
        )
    assert store.link.command("HGET", keys.job(neighbour.id), "flow_crashes") is None


def test_the_failure_callback_of_a_job_that_was_killed_is_told(
    yard: Yard, client: Untyped
) -> None:
    job = RQ.Queue(connection=client).enqueue(
        "tests.support.hazards.hang_with_the_interpreter",
        yard.ledger,
        job_timeout=1,
        on_failure=RQ.Callback("tests.support.shop.callbacks.failed"),
    )
    with yard.worker("--kill-after", "0.5"):
        (told,) = wait_until(
            lambda: client.lrange(f"told:{job.id}", 0, -1),
            timeout=LONG,
            waiting_for="the callback",
        )
        wait_until(
            lambda: client.zcard("rq:wip:default") == 0,
            timeout=LONG,
            waiting_for="its end",
        )
    assert told.startswith(b"failed: rq.timeouts.JobTimeoutException: Task exceeded")
    assert job.is_failed


def test_a_thread_that_hangs_in_c_is_killed_too(yard: Yard) -> None:
    job = hazards.hang_with_the_interpreter.enqueue(yard.ledger)
    with yard.worker("--kill-after", "0.5", "--threads", "2"):
        with pytest.raises(errors.JobFailed, match=TIMEOUT):
            job.result(LONG)
        assert hazards.echo.enqueue("next").result(LONG) == "next"
