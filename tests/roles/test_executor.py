"""Executor: what came of a job, and when it runs again."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from flow import codec
from flow.errors import SoftTimeout, UnknownTask
from flow.outcome import Ending
from flow.record import Claim, Invocation
from flow.registry import Declaration
from flow.workers import executor
from flow.workers.resolve import Work, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def work(function: Callable[..., Any], **claim: Any) -> Work:  # noqa: ANN401
    held = replace(Claim("default", "j", "p-1", b"", timeout=5.0), **claim)
    task = Declaration("a.path", function, "a.path", on_crash=claim.get("on_crash"))
    once = claim.get("on_crash") == "fail"
    return Work(held, "a.path", function, (), {}, task, once=once)


def run(function: Callable[..., Any], *, stopping: bool = False, **claim: Any) -> Any:  # noqa: ANN401
    return executor.execute(work(function, **claim), time.time, lambda: stopping)


def explode() -> None:
    raise ValueError("no")


def iter_nothing() -> Iterator[None]:
    yield


def told(packed: bytes) -> str:
    return codec.unpack_failure(packed)


def test_what_a_job_returns_is_its_result() -> None:
    outcome = run(lambda: 42, result_ttl=7)
    assert (outcome.ending, outcome.ttl) == (Ending.FINISHED, 7)
    assert codec.unpack_result(outcome.value) == 42


def test_an_error_is_told_from_the_jobs_own_frames_on() -> None:
    outcome = run(explode)
    assert outcome.ending is Ending.FAILED
    text = told(outcome.value)
    assert text.startswith("Traceback")
    assert 'raise ValueError("no")' in text
    assert "workers/executor.py" not in text
    assert outcome.error == "ValueError: no"


def test_a_result_that_cannot_be_kept_is_a_failure_that_is_not_retried() -> None:
    outcome = run(iter_nothing, retries_left=3)
    assert outcome.ending is Ending.FAILED
    assert "generator" in outcome.error


def test_an_error_leads_to_a_retry_while_there_are_any() -> None:
    assert run(explode, retries_left=1).ending is Ending.RETRY
    assert run(explode, retries_left=0).ending is Ending.FAILED


def test_an_error_during_the_stop_is_an_interruption() -> None:
    assert run(explode, stopping=True, retries_left=1).ending is Ending.INTERRUPTED
    assert run(lambda: 1, stopping=True).ending is Ending.FINISHED


def test_an_interruption_of_what_must_not_run_twice_is_a_failure() -> None:
    outcome = run(explode, stopping=True, on_crash="fail")
    assert outcome.ending is Ending.FAILED
    assert "Interrupted" in outcome.error


def test_a_timeout_is_one_during_the_stop_too() -> None:
    def late() -> None:
        raise SoftTimeout("Task exceeded maximum timeout value (5 seconds)")

    outcome = run(late, stopping=True)
    assert outcome.ending is Ending.FAILED
    assert outcome.error.startswith("rq.timeouts.JobTimeoutException: Task exceeded")


@pytest.mark.parametrize(
    ("left", "attempts", "delay"), [(3, 0, 1.0), (2, 1, 5.0), (1, 2, 5.0)]
)
def test_a_declared_list_is_followed_and_its_last_repeats(
    left: int, attempts: int, delay: float
) -> None:
    held = Claim("q", "j", "p-1", b"", retries_left=left, attempts=attempts)
    task = Declaration("a", explode, "a", backoff=[1, 5])
    assert executor.backoff(held, task) == delay


@pytest.mark.parametrize(("left", "delay"), [(3, 60.0), (2, 60.0), (1, 600.0)])
def test_rqs_intervals_win_and_are_read_as_rq_reads_them(
    left: int, delay: float
) -> None:
    held = Claim("q", "j", "p-1", b"", retries_left=left, intervals=(60.0, 600.0))
    task = Declaration("a", explode, "a", backoff=[1])
    assert executor.backoff(held, task) == delay


def test_a_function_is_asked_with_the_attempts_number() -> None:
    task = Declaration("a", explode, "a", backoff=lambda attempt: attempt * 10)
    held = Claim("q", "j", "p-1", b"", retries_left=1, attempts=2)
    assert executor.backoff(held, task) == 30.0


def test_the_usual_backoff_doubles() -> None:
    task = Declaration("a", explode, "a")
    for attempts, least in ((0, 2.0), (1, 4.0), (5, 64.0), (60, 3600.0)):
        held = Claim("q", "j", "p-1", b"", retries_left=1, attempts=attempts)
        assert least <= executor.backoff(held, task) <= least * 1.25


@pytest.mark.parametrize(
    ("waited", "delay"), [(None, 5.0), (0.0, 5.0), (12.0, 12.0), (300.0, 60.0)]
)
def test_an_unknown_task_is_put_off_ever_longer(
    waited: float | None, delay: float
) -> None:
    now = 1_000_000.0
    since = None if waited is None else now - waited
    held = Claim("q", "j", "p-1", b"", unknown_since=since)
    outcome = executor.unresolved(held, UnknownTask("a.b: it is not here"), now)
    assert (outcome.ending, outcome.delay) == (Ending.POSTPONED, delay)


def test_an_unknown_task_fails_after_a_quarter_of_an_hour() -> None:
    now = 1_000_000.0
    held = Claim("q", "j", "p-1", b"", unknown_since=now - 901)
    outcome = executor.unresolved(held, UnknownTask("a.b: it is not here"), now)
    assert outcome.ending is Ending.FAILED
    assert "a.b: it is not here" in told(outcome.value)


@pytest.mark.parametrize(
    ("of_job", "of_project", "once"),
    [
        (None, "retry", False),
        (None, "fail", True),
        ("fail", "retry", True),
        ("retry", "fail", False),
    ],
)
def test_what_must_not_run_twice_is_decided_once(
    of_job: str | None, of_project: str, *, once: bool
) -> None:
    data = codec.pack_invocation(Invocation("tests.support.shop.plain.add", (1, 2)))
    held = Claim("default", "j", "p-1", data, on_crash=of_job)
    assert resolve(held, on_crash=of_project).once is once
