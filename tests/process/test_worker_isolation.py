"""Jobs of ``@task(isolate=True)``: a process of their own, and a death of their own."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from flow import errors
from flow.record import Status
from tests.support import hazards
from tests.support.apps import PLAIN, RQ, Untyped
from tests.support.faults import APP, children, everything, gone, let_go, settled
from tests.support.leaks import places, queued

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flow.store.client import Store
    from tests.support.faults import Yard

LONG = 60.0  # seconds a wait may take at most


def test_each_job_has_a_process_of_its_own_that_the_supervisor_forked(
    yard: Yard,
) -> None:
    jobs = hazards.apart.enqueue_many([(yard.ledger,)] * 5)
    with yard.worker() as worker:
        found = [job.result(LONG) for job in jobs]
        assert len({pid for pid, _, _ in found}) == 5
        assert {(parent, threads) for _, parent, threads in found} == {(worker.pid, 1)}
        for pid, _, _ in found:
            gone(pid)


@pytest.mark.parametrize("options", [[], ["--threads", "3"]], ids=["one", "threads"])
def test_isolated_jobs_return_fail_and_await_like_others(
    yard: Yard, options: Sequence[str]
) -> None:
    big = "x" * 3_000_000  # more than any pipe holds
    back = hazards.apart_echo.enqueue(big)
    odd = hazards.apart_echo.enqueue({"none": None})
    bad = hazards.apart_fail.enqueue("no cat")
    waited = hazards.aapart.enqueue(7)
    inner = hazards.apart_enqueue.enqueue(yard.ledger, "from inside")
    yard.burst(*options)
    assert back.result(0) == big
    assert odd.result(0) == {"none": None}
    assert waited.result(0)[0] == 7
    with pytest.raises(errors.JobFailed, match="ValueError: no cat") as failed:
        bad.result(0)
    assert "in apart_fail" in failed.value.traceback
    assert "flow/workers" not in failed.value.traceback
    assert inner.result(0)
    assert yard.noted() == ["from inside"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_three_deaths_make_a_dead_letter_and_the_worker_lives_on(
    yard: Yard, store: Store, number: signal.Signals
) -> None:
    job = hazards.apart_die.enqueue(yard.ledger, number, 99)
    with yard.worker() as worker:
        with pytest.raises(errors.JobFailed, match=f"signal {number}, {number.name}"):
            job.result(LONG)
        (process,) = children(worker)
        other = hazards.where.enqueue(yard.ledger)
        assert other.result(LONG) == process
    assert yard.noted()[:3] == ["die"] * 3
    assert places(store, job.id) == ["failed"]
    assert yard.log().count("the process of tests.support.hazards.apart_die died") == 3
    assert "recovered from process" in yard.log()


@pytest.mark.parametrize("code", [0, 3])
def test_to_leave_the_process_is_a_crash_whatever_the_code(
    yard: Yard, code: int
) -> None:
    job = hazards.apart_leave.enqueue(yard.ledger, code)
    yard.burst()
    with pytest.raises(errors.JobFailed, match=f"exit code {code}"):
        job.result(0)
    assert yard.noted() == ["leave"] * 3


def test_a_job_that_died_twice_ends_at_its_third_run(yard: Yard) -> None:
    job = hazards.apart_die.enqueue(yard.ledger, signal.SIGKILL, 2)
    yard.burst()
    assert job.status is Status.FINISHED
    assert yard.noted() == ["die"] * 3


def test_neighbours_of_a_job_that_dies_never_notice(yard: Yard) -> None:
    gate = yard.gate()
    beside = hazards.ahold_at.enqueue(yard.ledger, gate)
    with yard.worker() as worker:
        yard.running()
        job = hazards.apart_die.enqueue(yard.ledger, signal.SIGKILL, 99)
        with pytest.raises(errors.JobFailed, match="SIGKILL"):
            job.result(LONG)
        let_go(gate)
        assert [beside.result(LONG)] == children(worker)
    assert len([line for line in yard.noted() if line.startswith("hold")]) == 1


def test_what_must_not_run_twice_does_not(yard: Yard) -> None:
    job = hazards.apart_hold_once.enqueue(yard.ledger, yard.gate())
    with yard.worker():
        (pid,) = yard.running()
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(errors.JobFailed, match="ProcessLost"):
            job.result(LONG)
    assert len(yard.noted()) == 1


def test_a_soft_timeout_is_raised_inside(yard: Yard) -> None:
    jobs = [hazards.apart_hang.enqueue(), hazards.apart_ahang.enqueue(yard.ledger)]
    yard.burst()
    for job in jobs:
        with pytest.raises(errors.JobFailed, match=r"JobTimeoutException.*0\.3 sec"):
            job.result(0)
    assert yard.noted() == ["cleaned up"]


def test_a_process_that_does_not_mind_its_timeout_is_killed(yard: Yard) -> None:
    job = hazards.apart_mind_no_timeout.enqueue(yard.ledger)
    yard.burst()
    with pytest.raises(errors.JobFailed, match="and its process was killed"):
        job.result(0)
    assert yard.noted() == ["began"]


def test_programs_that_a_job_started_end_with_it(yard: Yard) -> None:
    jobs = [
        hazards.apart_leave_a_program.enqueue(yard.ledger),
        hazards.apart_start_a_program.options(timeout=0.5).enqueue(yard.ledger),
    ]
    yard.burst()
    assert [job.status for job in jobs] == [Status.FINISHED, Status.FAILED]
    for pid in yard.running(2):
        gone(pid)


def test_its_workers_death_ends_it_before_it_runs_again(yard: Yard) -> None:
    gate = yard.gate()
    job = hazards.apart_hold.enqueue(yard.ledger, gate)
    with yard.worker() as worker:
        (isolated,) = yard.running()
        (owner,) = [pid for pid in children(worker) if pid != isolated]
        os.kill(owner, signal.SIGKILL)
        again = int(yard.expect(2)[1].split()[1])
        assert again != isolated
        gone(isolated)
        let_go(gate)
        assert job.result(LONG) == "go"
    assert len(yard.noted()) == 2


def test_a_killed_supervisor_takes_it_along(yard: Yard, store: Store) -> None:
    hazards.apart_hold.enqueue(yard.ledger, yard.gate())
    with yard.worker() as worker:
        (isolated,) = yard.running()
        worker.kill()
        gone(isolated)
    assert len(store.held(["default"])) == 1
    yard.nothing_left()


def test_it_may_end_within_the_grace_also_when_all_are_signalled(
    yard: Yard, store: Store
) -> None:
    gate = yard.gate()
    job = hazards.apart_hold.enqueue(yard.ledger, gate)
    waiting = hazards.echo.enqueue(1)
    with yard.worker() as worker:
        yard.running()
        for pid in everything(worker):  # as Heroku does
            os.kill(pid, signal.SIGTERM)
        yard.said("worker stops (SIGTERM)")
        let_go(gate)
        assert worker.wait(LONG) == 0
    assert job.result(0) == "go"
    assert queued(store) == [waiting.id]


def test_at_the_end_of_the_grace_it_goes_back_uncounted(
    yard: Yard, store: Store
) -> None:
    job = hazards.apart_hold.enqueue(yard.ledger, yard.gate())
    with yard.worker("--grace", "0.5") as worker:
        (pid,) = yard.running()
        worker.terminate()
        assert worker.wait(LONG) == 0
    gone(pid)
    assert queued(store) == [job.id]
    assert not store.link.command("HGET", f"rq:job:{job.id}", "flow_crashes")


def test_a_stop_finds_short_isolated_jobs_exactly_once_each(
    yard: Yard, store: Store
) -> None:
    jobs = hazards.apart.enqueue_many([(yard.ledger,)] * 60)
    with yard.worker(processes=2) as worker:
        yard.expect(20)
        worker.terminate()
        assert worker.wait(LONG) == 0
    assert store.held(["default"]) == []
    with yard.worker(processes=2):
        settled(store)
    assert len(yard.noted()) == 60
    assert {job.status for job in jobs} == {Status.FINISHED}


def test_it_holds_nothing_of_its_workers(yard: Yard) -> None:
    found = hazards.apart_descriptors.enqueue()
    with yard.worker(processes=3):
        names = found.result(LONG)
    of_ours = {name for name in names if name.startswith(("socket:", "anon_inode:"))}
    assert len(of_ours) == 1, names  # its channel
    # The ends of a pipe have one name; standard output may be one.
    pipes = [name for name in names if name.startswith("pipe:")]
    assert len(pipes) <= 1, names


def test_it_knows_itself_and_its_workers_stop(yard: Yard) -> None:
    job = hazards.apart_current.enqueue(yard.ledger)
    with yard.worker("--grace", "30") as worker:
        yard.running()
        worker.terminate()
        assert worker.wait(LONG) == 0
    own, left = job.result(0)
    assert own == job.id
    assert left < 31  # the end of the grace is nearer than that of its timeout


def test_it_is_the_current_job_to_rq_too(yard: Yard) -> None:
    job = hazards.apart_rq_id.enqueue()
    yard.burst(app=f"{APP},{PLAIN}")  # the second imports rq
    assert job.result(0) == job.id


def test_a_callback_has_a_time_limit_of_its_own(yard: Yard, client: Untyped) -> None:
    slow = RQ.Callback("tests.support.shop.callbacks.outlasts_its_job")
    queue = RQ.Queue(connection=client)
    job = queue.enqueue(f"{APP}.apart_echo", 1, on_success=slow, job_timeout=1)
    yard.burst("--kill-after", "0.5")
    assert job.get_status().value == "finished", yard.log()


def test_strict_runs_no_callback_that_is_not_declared(
    yard: Yard, client: Untyped
) -> None:
    settings = f'[tool.flow]\napp = "{APP}"\nstrict = true\n'
    (yard.folder / "pyproject.toml").write_text(settings)
    told = RQ.Callback("tests.support.shop.callbacks.succeeded")
    queue = RQ.Queue(connection=client)
    job = queue.enqueue(f"{APP}.apart_echo", 1, on_success=told)
    yard.burst(app="")
    assert client.exists(f"told:{job.id}") == 0
    assert (
        "a success callback: it is no declared task" in job.latest_result().exc_string
    )
