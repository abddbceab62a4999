"""rq-scheduler's world: its published tests, its entries, its files, its processes."""

# ruff: noqa: ANN401, DTZ001 - rq-scheduler has no types, and takes naive UTC
from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flow import events
from flow.scheduler import Scheduler
from flow.scheduler.adopter import Adopter
from flow.scheduler.taking import Taking
from flow.store.rqscheduler import Entries
from tests.support.shop import plain
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from tests.scheduler.turning import Turning
    from tests.support.server import Server

pytestmark = [
    # Its own parser of expressions announces a change of its own.
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    # It calls utcnow, which Python deprecates since 3.12.
    pytest.mark.filterwarnings("ignore:.*utcnow:DeprecationWarning:rq_scheduler"),
]
PUBLISHED = Path(__file__).parent / "published" / "test_scheduler.txt"
ENTRIES = "rq:scheduler:scheduled_jobs"
LOCK = "rq:scheduler_lock"
CASE = """\
import os
import unittest

from redis import Redis


class RQTestCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.testconn = Redis.from_url(os.environ["REDIS_URL"])

    def setUp(self):
        self.testconn.flushdb()

    tearDown = setUp
"""


def test_the_published_tests_pass(server: Server, tmp_path: Path) -> None:
    """Those of rq-scheduler 0.14, run as they are against flow's class."""
    source = PUBLISHED.read_text().replace("from rq_scheduler import Scheduler", "")
    source = source.replace("id test", "id-test")  # RQ 3 refuses ids with spaces
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/__init__.py").write_text(CASE)
    ours = "from flow.scheduler import Scheduler\n"
    (tmp_path / "tests/test_scheduler.py").write_text(ours + source)
    said = unittest(server, tmp_path, "tests.test_scheduler")
    assert "Ran 68 tests" in said
    assert "skipped" not in said
    # Some compare two readings of the clock in whole seconds: those have another try.
    for name in re.findall(r"^(?:FAIL|ERROR): \w+ \(([\w.]+)\)", said, re.MULTILINE):
        again = unittest(server, tmp_path, name)
        assert "Ran 1 test" in again
        assert again.rstrip().endswith("OK"), again


def unittest(server: Server, folder: Path, name: str) -> str:
    """Run tests in a process of their own, and return what is said."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "unittest", name],
        cwd=folder,
        env={**os.environ, "TZ": "UTC", "REDIS_URL": server.url},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    ).stderr


@pytest.fixture
def theirs(server: Server) -> Any:
    """rq-scheduler's own class."""
    with server.client() as client:
        yield importlib.import_module("rq_scheduler").Scheduler(connection=client)


def adopter(clock: Turning) -> Adopter:
    """Return what serves the entries, for the clock that leads."""
    clock.leader.run_once()
    entries = Entries(clock.store.link)
    return Adopter(entries, clock.timetable, clock.leader, clock.record)


def score(clock: Turning, job: Any) -> float | None:
    found = clock.store.link.command("ZSCORE", ENTRIES, job.id)
    return None if found is None else float(found)


def due(clock: Turning, job: Any, ago: float = 1.0) -> float:
    """Have an entry be due since so many seconds; return its score."""
    at = time.time() - ago
    clock.store.link.command("ZADD", ENTRIES, f"{at:.17g}", job.id)
    return at


@pytest.mark.leaves_keys
def test_an_entry_that_is_due_once_is_enqueued_and_gone(
    clock: Turning, theirs: Any
) -> None:
    later = theirs.enqueue_in(timedelta(hours=1), plain.add, 1)
    job = theirs.enqueue_at(datetime(2026, 1, 1), plain.add, 1)
    adopter(clock).run_once()
    assert clock.queued() == [job.id]
    assert score(clock, job) is None
    assert score(clock, later)


@pytest.mark.leaves_keys
def test_an_entry_with_an_interval_keeps_its_phase(clock: Turning, theirs: Any) -> None:
    job = theirs.schedule(datetime(2026, 1, 1), plain.add, args=[1], interval=60)
    first = due(clock, job, ago=150.5)
    adopter(clock).run_once()
    assert clock.queued() == [job.id]
    assert score(clock, job) == pytest.approx(first + 180)


@pytest.mark.leaves_keys
def test_an_entry_that_repeats_counts_down_and_ends(
    clock: Turning, theirs: Any
) -> None:
    job = theirs.schedule(
        datetime(2026, 1, 1),
        plain.add,
        args=[1],
        interval=60,
        repeat=2,
    )
    served = adopter(clock)
    for _ in range(3):
        if score(clock, job) is not None:
            due(clock, job)
        served.run_once()
        clock.status(job.id, "finished")
        clock.store.link.command("DEL", "rq:queue:default")
    assert score(clock, job) is None
    job.refresh()
    assert job.meta["repeat"] == 0


@pytest.mark.leaves_keys
def test_a_cron_entry_follows_its_zone(clock: Turning, theirs: Any) -> None:
    job = theirs.cron("30 7 * * *", plain.add, args=[1])
    due(clock, job)
    adopter(clock).run_once()
    coming = score(clock, job)
    assert coming
    assert datetime.fromtimestamp(coming, UTC).strftime("%H:%M:%S") == "07:30:00"
    assert coming > time.time()


@pytest.mark.leaves_keys
def test_while_its_one_job_waits_or_runs_a_tick_is_left_out(
    clock: Turning, theirs: Any
) -> None:
    job = theirs.schedule(datetime(2026, 1, 1), plain.add, args=[1], interval=60)
    served = adopter(clock)
    for state in ("queued", "started"):
        due(clock, job)
        clock.status(job.id, state)
        before = clock.queued()
        served.run_once()
        assert clock.queued() == before
        assert (score(clock, job) or 0) > time.time()


@pytest.mark.leaves_keys
def test_a_lock_that_another_holds_is_respected(clock: Turning, theirs: Any) -> None:
    job = theirs.enqueue_at(datetime(2026, 1, 1), plain.add, 1)
    assert theirs.acquire_lock()
    served = adopter(clock)
    served.run_once()
    assert clock.queued() == []
    theirs.remove_lock()
    served.run_once()
    assert clock.queued() == [job.id]
    assert not theirs.acquire_lock()


def test_a_paused_holder_does_not_delete_its_successors_lock(server: Server) -> None:
    with server.client() as client:
        first, second = (Scheduler(connection=client) for _ in range(2))
        assert first.acquire_lock()
        client.delete(LOCK)
        assert second.acquire_lock()
        first.remove_lock()
        assert client.exists(LOCK)
        second.remove_lock()
        assert not client.exists(LOCK)


@pytest.mark.leaves_keys
def test_an_entry_that_cannot_be_read_holds_up_no_other(
    clock: Turning, theirs: Any, happened: list[events.Event]
) -> None:
    then = datetime(2026, 1, 1)
    spoilt, well = (
        theirs.schedule(then, plain.add, args=[n], interval=60) for n in range(2)
    )
    due(clock, spoilt, ago=9)
    due(clock, well)
    clock.store.link.command("HSET", f"rq:job:{spoilt.id}", "meta", b"\xff spoilt")
    clock.store.link.command("ZADD", ENTRIES, 0, b"\xff")
    serves = adopter(clock)
    wait_until(lambda: serves.run_once() > 0, waiting_for="the end of work")
    assert clock.queued() == [well.id]
    told = [one for one in happened if isinstance(one, events.ScheduleUnreadable)]
    assert [one.schedule for one in told] == [spoilt.id]


@pytest.mark.leaves_keys
def test_entries_are_taken_over(clock: Turning, theirs: Any) -> None:
    new_year = datetime(2030, 1, 1)
    cron = theirs.cron("30 7 * * *", plain.add, args=[1], id="daily", meta={"a": 1})
    interval = theirs.schedule(new_year, plain.add, args=[1], interval=60, id="often")
    once = theirs.enqueue_at(new_year, plain.add, 1)
    ends = theirs.schedule(new_year, plain.add, args=[1], interval=60, repeat=3)
    taking = Taking(clock.store, "shop")
    assert len(taking.look()) == 4
    assert score(clock, cron)
    stays = [one for one in taking.take() if not one.becomes]
    assert [one.entry.job for one in stays] == [ends.id]
    assert score(clock, ends)
    assert (score(clock, cron), score(clock, interval)) == (None, None)
    assert clock.find("daily").rule.spec == "30 7 * * *"
    assert clock.stands("often") % 60_000 == 0
    assert once.get_status(refresh=True) == "scheduled"
    assert clock.store.link.command("ZSCORE", "rq:scheduled:default", once.id)
    late = clock.rewind(60_000, "often")
    clock.at(clock.timetable.time() // 60_000 * 60_000, "often")
    clock.turn()
    assert len(clock.fired("often")) == 1
    assert late


@pytest.mark.leaves_keys
@pytest.mark.parametrize("minutes", [-150, 150])
def test_an_imported_entry_begins_where_it_stood(
    clock: Turning, theirs: Any, minutes: int
) -> None:
    begin = datetime.now(UTC).replace(tzinfo=None) + timedelta(minutes=minutes)
    theirs.schedule(begin, plain.add, args=[1], interval=3600, id="hourly")
    assert [one.becomes for one in Taking(clock.store, "shop").take()] == ["schedule"]
    assert clock.stands("hourly") == int(begin.replace(tzinfo=UTC).timestamp()) * 1000
    clock.turn()
    assert len(clock.fired("hourly")) == (minutes < 0)


@pytest.mark.leaves_keys
def test_an_entry_takes_the_place_of_no_schedule(clock: Turning, theirs: Any) -> None:
    clock.declare("beat")
    for job in ("beat", "daily"):
        theirs.cron("0 7 * * *", plain.add, args=[1], id=job)
    taking = Taking(clock.store, "shop")
    stays = {one.entry.job: one.why for one in taking.take() if not one.becomes}
    assert stays == {"beat": "there is a schedule beat already"}
    assert clock.find().rule.kind == "every"


def test_six_fields_of_rq_scheduler_end_with_the_year(clock: Turning) -> None:
    from flow.scheduler.rq import expression, following  # noqa: PLC0415

    del clock
    assert expression("5 * * * * *") == "5 * * * *"
    assert expression("30 5 * * * * *") == "30 5 * * * *"
    assert expression("5 * * * * 2030") is None
    now = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    assert following({"cron_string": "5 * * * * *"}, now, now) == now + 300
