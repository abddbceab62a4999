"""What a worker finds in Redis that is no job it can run."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest
import rq

from flow import Queue, errors, keys
from flow.record import Status
from tests.support import hazards
from tests.support.faults import APP, settled
from tests.support.leaks import places, queued

if TYPE_CHECKING:
    from pathlib import Path

    import redis

    from flow.store.client import Store
    from tests.support.faults import Yard

LONG = 60.0  # seconds a wait may take at most


@pytest.fixture
def module(yard: Yard) -> Path:
    """The path of a module that workers in the yard can import."""
    return yard.folder / "arrives.py"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"garbage",
        b"\x80\x05N.",  # None
        pickle.dumps((1, 2)),
        b"x\x9c garbage that looks compressed",
        pickle.dumps(("a", None, 7, {})),
        b"cno.such.module\nThing\n.",
    ],
)
def test_a_payload_of_garbage_fails_and_hurts_nothing(
    yard: Yard, store: Store, data: bytes
) -> None:
    job, after = Queue().enqueue("whatever.it.was"), hazards.echo.enqueue(1)
    store.link.command("HSET", keys.job(job.id), "data", data)
    said = yard.burst()
    with pytest.raises(errors.JobFailed, match="UnreadableJob"):
        job.result(0)
    assert after.result(0) == 1
    assert "died" not in said


def test_a_job_without_data_fails_and_says_so(yard: Yard, store: Store) -> None:
    job = Queue().enqueue("whatever.it.was")
    store.link.command("HDEL", keys.job(job.id), "data")
    yard.burst()
    with pytest.raises(errors.JobFailed, match="the job has no data"):
        job.result(0)


def test_a_key_of_another_type_where_a_job_should_be_is_dropped(
    yard: Yard, store: Store
) -> None:
    job, after = hazards.echo.enqueue(0), hazards.echo.enqueue(1)
    store.link.command("SET", keys.job(job.id), "no hash", "EX", 100)
    assert "died" not in yard.burst()
    assert after.result(0) == 1
    assert queued(store) == []


def test_spoilt_keys_do_not_end_a_worker(yard: Yard, store: Store) -> None:
    """Wrong types in the rooms of a queue: other queues are looked after."""
    store.link.command("SADD", keys.QUEUES, keys.queue("spoilt"))
    for room in ("scheduled", "finished"):
        store.link.command("SET", keys.registry(room, "spoilt"), "x", "EX", 100)
    with yard.worker() as worker:
        assert hazards.echo.enqueue(1).result(LONG) == 1
        assert hazards.echo.enqueue_in(0.1, 2).result(LONG) == 2
        assert worker.poll() is None


def test_a_burst_gets_through_thousands_of_leftovers(yard: Yard, store: Store) -> None:
    expired = hazards.echo.enqueue_many([(n,) for n in range(2500)])
    for job in expired:
        store.link.command("DEL", keys.job(job.id))
    jobs = hazards.echo.enqueue_many([(n,) for n in range(10)])
    yard.burst()
    assert [job.result(0) for job in jobs] == list(range(10))


def test_an_unknown_task_waits_for_the_code_that_knows_it(
    yard: Yard, store: Store, module: Path
) -> None:
    jobs = [Queue().enqueue("arrives.run", n) for n in range(3)]
    other = Queue().enqueue("tests.support.hazards.arrives_later")
    said = yard.burst()
    assert [places(store, job.id) for job in jobs] == [["scheduled"]] * 3
    assert said.count("no task 'arrives.run' here") == 1  # one warning a name
    assert said.count("no task 'tests.support.hazards.arrives_later' here") == 1
    module.write_text("def run(n):\n    return n * 2\n")
    with yard.worker():
        assert [job.result(LONG) for job in jobs] == [0, 2, 4]
    assert other.status not in (Status.FINISHED, Status.FAILED)


def test_an_unknown_task_fails_when_nobody_came_to_know_it(
    yard: Yard, store: Store
) -> None:
    job = Queue().enqueue("never.arrives")
    store.link.command("HSET", keys.job(job.id), "flow_unknown_since", 1_000_000_000)
    yard.burst()
    with pytest.raises(errors.JobFailed, match=r"UnknownTask: never\.arrives"):
        job.result(0)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("import not_installed_anywhere", "ModuleNotFoundError"),
        ("this is no python", "SyntaxError"),
        ("raise SystemExit(1)", "SystemExit"),
    ],
)
def test_a_module_that_fails_while_it_is_imported_is_a_plain_failure(
    yard: Yard, module: Path, code: str, error: str
) -> None:
    module.write_text(f"{code}\n\ndef run():\n    pass\n")
    job, after = Queue().enqueue("arrives.run"), hazards.echo.enqueue(1)
    assert "died" not in yard.burst()
    with pytest.raises(errors.JobFailed, match=error):
        job.result(0)
    assert after.result(0) == 1


def test_a_module_that_kills_the_process_ends_as_a_dead_letter(
    yard: Yard, module: Path
) -> None:
    module.write_text("import os\nos._exit(5)\n")
    job, after = Queue().enqueue("arrives.run"), hazards.echo.enqueue(1)
    yard.burst()
    with pytest.raises(errors.JobFailed, match="exit code 5"):
        job.result(0)
    assert after.result(0) == 1


def test_strict_runs_declared_tasks_only_and_imports_nothing_else(
    yard: Yard, store: Store, module: Path
) -> None:
    settings = f'[tool.flow]\napp = "{APP}"\nstrict = true\n'
    (yard.folder / "pyproject.toml").write_text(settings)
    module.write_text(f"open({str(yard.ledger)!r}, 'w').write('imported')\n")
    stranger = Queue().enqueue("arrives.run")
    declared = hazards.echo.enqueue(1)
    said = yard.burst(app="")
    assert declared.result(0) == 1
    assert places(store, stranger.id) == ["scheduled"]
    assert "arrives.run: it is no declared task" in said
    assert yard.noted() == []


def test_jobs_of_a_plain_client_run_with_its_methods_and_options(
    yard: Yard, client: redis.Redis
) -> None:
    queue = rq.Queue(connection=client)
    plain = "tests.support.shop.plain"
    added = queue.enqueue(f"{plain}.add", 2, other=3, result_ttl=77)
    fee = queue.enqueue(f"{plain}.Account.fee", 100)
    yard.burst()
    assert added.return_value() == 5
    assert fee.return_value() == 10
    assert 0 < client.ttl(keys.job(added.id)) <= 77


def test_what_is_cancelled_or_deleted_while_it_runs_leaves_nothing(
    yard: Yard, store: Store, client: redis.Redis
) -> None:
    gate = yard.gate()
    gone, stopped = hazards.hold.enqueue_many([(yard.ledger, gate)] * 2)
    with yard.worker(processes=2):
        yard.running(2)
        for job in (gone, stopped):
            fetched = rq.job.Job.fetch(job.id, connection=client)
            if job is gone:
                fetched.delete()
            else:
                fetched.cancel()
        gate.write_text("go")
        yard.said(f"the outcome of job {gone.id} was not written")
        yard.said(f"the outcome of job {stopped.id} was not written")
        settled(store)
    assert store.status(gone.id) is None
    assert stopped.status is Status.CANCELED
    store.link.command("EXPIRE", keys.job(stopped.id), 60)  # RQ keeps it for ever
