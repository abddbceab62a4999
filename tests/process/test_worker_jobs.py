"""What jobs do, and what a worker makes of it."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import rq
from rq import Retry

from flow import Queue, errors, keys
from flow.record import Status
from tests.support import hazards
from tests.support.faults import let_go, settled
from tests.support.leaks import places, queued
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    import redis

    from flow import Task
    from flow.store.client import Store
    from tests.support.faults import Yard

LONG = 60.0  # seconds a wait may take at most
TIMED_OUT = r"JobTimeoutException: Task exceeded maximum timeout value \(0\.3 seconds\)"


def test_a_job_that_hangs_is_timed_out(yard: Yard) -> None:
    job, after = hazards.hang.enqueue(), hazards.echo.enqueue(1)
    yard.burst()
    with pytest.raises(errors.JobFailed, match=TIMED_OUT) as failed:
        job.result(0)
    assert "NEVER.wait()" in failed.value.traceback
    assert "workers/executor" not in failed.value.traceback
    assert after.result(0) == 1


def test_a_careless_except_does_not_swallow_a_timeout(yard: Yard) -> None:
    plain = hazards.hang_and_swallow.enqueue(yard.ledger)
    coroutine = hazards.ahang_and_swallow.enqueue(yard.ledger)
    yard.burst()
    for job in (plain, coroutine):
        with pytest.raises(errors.JobFailed, match=TIMED_OUT):
            job.result(0)
    assert yard.noted() == []


def test_a_coroutine_that_hangs_is_timed_out(yard: Yard) -> None:
    job, after = hazards.ahang.enqueue(), hazards.echo.enqueue(1)
    yard.burst()
    with pytest.raises(errors.JobFailed, match=TIMED_OUT):
        job.result(0)
    assert after.result(0) == 1


def test_a_job_in_a_thread_is_timed_out_between_two_steps(yard: Yard) -> None:
    job = hazards.hang_in_python.enqueue()
    after = hazards.echo.enqueue_many([(n,) for n in range(20)])
    yard.burst("--threads", "3")
    with pytest.raises(errors.JobFailed, match=TIMED_OUT):
        job.result(0)
    assert [one.result(0) for one in after] == list(range(20))


@pytest.mark.parametrize("threads", ["1", "4"])
def test_a_job_that_ends_at_its_timeout_has_finished_or_timed_out(
    yard: Yard, threads: str
) -> None:
    jobs = hazards.nearly.enqueue_many([()] * 20)
    yard.burst("--threads", threads)
    for job in jobs:
        if job.status is Status.FINISHED:
            assert job.result(0) == "made it"
        else:
            with pytest.raises(errors.JobFailed, match="JobTimeoutException: Task"):
                job.result(0)


@pytest.mark.parametrize("task", [hazards.fail_listed, hazards.fail_counted])
def test_retries_without_a_delay_run_and_then_fail(
    yard: Yard, task: Task[[Path], None, None]
) -> None:
    job = task.enqueue(yard.ledger)
    yard.burst()
    assert yard.noted() == ["tried"] * 3
    with pytest.raises(errors.JobFailed, match="ValueError: no"):
        job.result(0)


def test_retries_back_off_by_default(yard: Yard, store: Store) -> None:
    job = hazards.fail_usual.enqueue(yard.ledger)
    began = time.time()
    said = yard.burst()
    assert "failed, again in 2." in said
    assert places(store, job.id) == ["scheduled"]
    score = store.link.command("ZSCORE", keys.registry("scheduled", "default"), job.id)
    assert float(score) - began >= 2.0


def test_a_retry_runs_when_its_time_has_come(yard: Yard, store: Store) -> None:
    job = hazards.fail_usual.enqueue(yard.ledger)
    with yard.worker():
        yard.expect(2)  # after two seconds, by the worker alone
        yard.said("failed, again in ", 2)
        wait_until(
            lambda: places(store, job.id) == ["scheduled"],
            timeout=LONG,
            waiting_for="its second retry",
        )


@pytest.mark.parametrize("task", [hazards.fail_broken, hazards.fail_endless])
def test_a_backoff_that_is_broken_fails_the_job_and_says_so(
    yard: Yard, task: Task[[Path], None, None]
) -> None:
    job, after = task.enqueue(yard.ledger), hazards.echo.enqueue(1)
    said = yard.burst()
    with pytest.raises(errors.JobFailed, match=r"KeyError: 1|backoff returned inf"):
        job.result(0)
    assert yard.noted() == ["tried"]
    assert after.result(0) == 1
    assert "died" not in said


def test_rqs_retries_keep_rqs_intervals(
    yard: Yard, store: Store, client: redis.Redis
) -> None:
    queue = rq.Queue(connection=client)
    at_once = queue.enqueue(
        "tests.support.shop.plain.explode", "it", retry=Retry(max=2)
    )
    later = queue.enqueue(
        "tests.support.shop.plain.explode", "it", retry=Retry(max=3, interval=[60, 600])
    )
    began = time.time()
    said = yard.burst()
    assert places(store, at_once.id) == ["failed"]
    assert said.count("failed, again in 0.0 s") == 2
    assert places(store, later.id) == ["scheduled"]
    score = store.link.command(
        "ZSCORE", keys.registry("scheduled", "default"), later.id
    )
    assert 55 < float(score) - began < 90
    later.delete()


def test_an_error_with_half_a_character_is_an_error_like_any_other(yard: Yard) -> None:
    job = hazards.fail_oddly.enqueue()
    said = yard.burst()
    with pytest.raises(errors.JobFailed, match="a file name with"):
        job.result(0)
    assert "died" not in said


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit])
@pytest.mark.parametrize("threads", ["1", "2"])
def test_a_job_that_tries_to_leave_python_has_failed(
    yard: Yard, error: type[BaseException], threads: str
) -> None:
    job, after = hazards.leave_python.enqueue(error), hazards.echo.enqueue(1)
    said = yard.burst("--threads", threads)
    with pytest.raises(errors.JobFailed, match=error.__name__):
        job.result(0)
    assert after.result(0) == 1
    assert "died" not in said


def test_an_exit_inside_the_event_loop_stops_no_other_coroutine(yard: Yard) -> None:
    before = hazards.ameet.enqueue(2)
    job = hazards.spawn_an_exit.enqueue()
    with yard.worker():
        # The other half of the meeting comes when the loop has met the exit.
        assert job.result(LONG) == "still here"
        after = hazards.ameet.enqueue(2)
        assert before.result(LONG) == after.result(LONG)


def test_a_job_may_print_a_megabyte(yard: Yard) -> None:
    job = hazards.flood.enqueue(1_000_000)
    yard.burst()
    assert job.result(0) == 1_000_000


@pytest.mark.parametrize("size", [200_000, 5_000_000])
def test_large_payloads_and_results_pass_through(yard: Yard, size: int) -> None:
    value = bytes(range(256)) * (size // 256)
    jobs = [hazards.echo.enqueue(value) for _ in range(4)]
    yard.burst()
    assert all(job.result(0) == value for job in jobs)


def test_a_thousand_coroutines_run_at_the_same_time(yard: Yard) -> None:
    jobs = hazards.ameet.enqueue_many([(1000,)] * 1000)
    with yard.worker("--concurrency", "1000", "--log-level", "warning"):
        pids = {job.result(LONG) for job in jobs}
    assert len(pids) == 1


def test_as_many_plain_jobs_run_at_the_same_time_as_there_are_threads(
    yard: Yard,
) -> None:
    jobs = hazards.meet.enqueue_many([(8,)] * 8)
    with yard.worker("--threads", "8"):
        assert len({job.result(LONG) for job in jobs}) == 1


def test_plain_jobs_and_coroutines_mix(yard: Yard) -> None:
    calls = [(yard.ledger, n) for n in range(400)]
    jobs = [
        job
        for one in calls
        for job in (hazards.note.enqueue(*one), hazards.anote.enqueue(*one))
    ]
    said = yard.burst("--threads", "3", "--concurrency", "5")
    assert {job.status for job in jobs} == {Status.FINISHED}
    assert sorted(yard.noted(), key=int) == [str(n) for n in range(400) for _ in "12"]
    assert "died" not in said


def test_coroutines_that_find_no_room_wait_without_a_fuss(
    yard: Yard, store: Store
) -> None:
    jobs = hazards.ahold.enqueue_many([(yard.ledger,)] * 6)
    with yard.worker("--concurrency", "2", "--grace", "0.5") as worker:
        yard.running(2)
        before = _calls(store)
        # A plain slot is free, and what is next in the queue cannot use it.
        assert hazards.hurry.enqueue(yard.ledger, "x").result(LONG) is None
        store.link.command("BLPOP", "nothing", 3)
        turns = _calls(store) - before
        worker.terminate()
        assert worker.wait(LONG) == 0
    assert turns < 40  # it looks once a second, not all the time
    assert queued(store) == [job.id for job in jobs]


def _calls(store: Store) -> int:
    stats: dict[str, Any] = store.link.command("INFO", "commandstats")
    return int(stats["cmdstat_evalsha"]["calls"])


def test_a_job_costs_eight_commands_and_short_ones_share_their_round_trips(
    yard: Yard, store: Store
) -> None:
    many = 2000
    yard.burst()  # what every start costs is none of theirs
    hazards.echo.enqueue_many([(n,) for n in range(many)])
    before = _asked(store)
    yard.burst()
    spent = _asked(store) - before
    each = {name: calls / many for name, calls in spent.items() if calls > many / 2}
    # Whoever adds one here makes every job dearer: think twice, then say why.
    assert {name: round(share) for name, share in each.items()} == {
        # claimed: its data's size, its fields, and that it has started
        "hstrlen": 1,
        "hmget": 2,  # and whether its outcome may still be written
        "hset": 2,  # and that it has finished
        # settled: its result, and until when both are kept
        "xadd": 1,
        "expire": 2,
    }
    assert spent["evalsha"] < many  # usually a fiftieth


def _asked(store: Store) -> Counter[str]:
    stats: dict[str, Any] = store.link.command("INFO", "commandstats")
    return Counter(
        {name.removeprefix("cmdstat_"): one["calls"] for name, one in stats.items()}
    )


def test_a_plain_function_that_returns_a_coroutine_has_its_result(yard: Yard) -> None:
    job = Queue().enqueue("tests.support.hazards.wrapped_coroutine", 41)
    said = yard.burst()
    assert job.result(0) == 42
    assert "never awaited" not in said


def test_urgent_jobs_overtake_what_waits_and_have_workers_of_their_own(
    yard: Yard, store: Store
) -> None:
    ordinary = hazards.note.enqueue_many([(yard.ledger, n) for n in range(500)])
    hurried = hazards.hurry.enqueue(yard.ledger, "first")
    yard.burst("--urgent")
    assert yard.noted() == ["first"]
    assert len(queued(store)) == 500
    hurried = hazards.hurry.enqueue(yard.ledger, "again")
    yard.burst()
    assert yard.noted()[1] == "again"
    assert hurried.status is Status.FINISHED
    assert {job.status for job in ordinary} == {Status.FINISHED}


def test_a_burst_runs_what_its_jobs_enqueue_and_ends(yard: Yard) -> None:
    job = Queue().enqueue("tests.support.shop.tasks.order_all", 30)
    yard.burst("--queues", "urgent,default")
    ordered = job.result(0)
    assert len(ordered) == 30
    assert {Queue("urgent").name} == {"urgent"}
    assert len(Queue("urgent")) == 0


def test_a_burst_over_many_processes_leaves_nothing(yard: Yard, store: Store) -> None:
    hazards.note.enqueue_many([(yard.ledger, n) for n in range(500)])
    yard.burst("--processes", "3")
    settled(store)
    assert len(yard.noted()) == 500


def test_a_worker_goes_on_although_a_job_has_taken_its_alarm(yard: Yard) -> None:
    Queue().enqueue("signal.signal", signal.SIGALRM, signal.SIG_IGN)
    job = hazards.hang.enqueue()
    yard.burst()
    with pytest.raises(errors.JobFailed, match=TIMED_OUT):
        job.result(0)


def test_what_a_job_forked_ends_when_it_is_told_to(yard: Yard) -> None:
    job = hazards.end_what_it_forked.enqueue()
    yard.burst()
    assert job.result(0) == -signal.SIGTERM


def test_a_job_that_keeps_the_interpreter_holds_up_nobody(yard: Yard) -> None:
    with yard.worker(processes=2):
        # Both processes have learnt that echo is short, and claim ahead.
        learnt = hazards.echo.enqueue_many((n,) for n in range(600))
        assert learnt[-1].result(LONG) == 599
        before = hazards.echo.enqueue_many((n,) for n in range(5))
        keeper = hazards.keep_the_interpreter.enqueue(yard.ledger, 5.0)
        behind = hazards.echo.enqueue_many((n,) for n in range(40))
        assert [job.result(LONG) for job in before] == list(range(5))
        assert [job.result(LONG) for job in behind] == list(range(40))
        assert keeper.status is Status.STARTED


def test_behind_a_long_job_nothing_is_claimed_again_and_again(
    yard: Yard, client: redis.Redis
) -> None:
    def calls() -> int:
        stats: Any = client.info("commandstats")
        return int(stats["cmdstat_evalsha"]["calls"])

    gate = yard.gate()
    with yard.worker():
        learnt = hazards.echo.enqueue_many((n,) for n in range(300))
        assert learnt[-1].result(LONG) == 299
        hazards.hold.enqueue(yard.ledger, gate)
        behind = hazards.echo.enqueue_many((n,) for n in range(200))
        yard.running()
        start = calls()
        threading.Event().wait(1.0)  # it would be thousands by now
        assert calls() - start < 200
        let_go(gate)
        assert behind[-1].result(LONG) == 199


def test_an_app_may_hold_more_descriptors_than_select_knows(yard: Yard) -> None:
    (yard.folder / "collector.py").write_text(
        "import resource\n"
        "_, most = resource.getrlimit(resource.RLIMIT_NOFILE)\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))\n"
        "held = [open('/dev/null') for _ in range(1024)]\n"
        "from tests.support.hazards import aecho, echo\n"
    )
    jobs = [hazards.echo.enqueue(1), hazards.aecho.enqueue(2)]
    said = yard.burst(app="collector")
    assert [job.result(0) for job in jobs] == [1, 2]
    assert "died" not in said
