"""flow clock as processes: three at once, killed, stopped, and told something else."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from flow.record import Invocation, JobRecord
from tests.scheduler.clocks import BEAT, Site, none_is_missing, queued, store_of, ticks
from tests.support import workers
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import redis

    from flow.store.client import Store
    from tests.support.server import Server

CALM = """\
from flow import cron, every, task


@cron("0 0 1 1 *", tz="Europe/London")
@task
def yearly() -> None: ...


@every(86400)
@task
def daily(word: str = "") -> None: ...
"""
ENDLESS = """\
import threading
from pathlib import Path

import flow

NEVER = threading.Event()


def note(word: str) -> None:
    with Path("ledger").open("a") as file:
        file.write(f"{word}\\n")


@flow.every(1, overlap="cancel_previous")
@flow.task
def endless() -> None:
    note("begins")
    try:
        NEVER.wait()
    except flow.JobStopped:
        note("stopped")
        raise
"""
FLAKY = """\
from pathlib import Path

from flow import task


@task(retries=1, backoff=[0.2])
def flaky(ledger: str) -> None:
    path = Path(ledger)
    with path.open("a") as file:
        file.write("x")
    if path.read_text() == "x":
        raise RuntimeError("the first time")
"""


@pytest.fixture
def site(server: Server, tmp_path: Path) -> Iterator[Site]:
    """An app with a schedule of a second."""
    site = Site(tmp_path / "an app", server.url)
    yield site
    site.end()


def has_ticks(client: redis.Redis, count: int) -> None:
    before = len(ticks(client))
    wait_until(
        lambda: len(ticks(client)) >= before + count,
        timeout=60,
        waiting_for=f"{count} ticks more",
    )


def test_three_clocks_enqueue_each_tick_once(site: Site, client: redis.Redis) -> None:
    site.clocks(3)
    has_ticks(client, 4)
    none_is_missing(ticks(client))
    assert all((note.late or 0) >= 0 for note in site.ledger())


def test_a_killed_leader_is_followed_by_another(
    site: Site, client: redis.Redis
) -> None:
    site.clocks(3)
    has_ticks(client, 1)
    for _ in range(2):
        site.wait_for_leader(client).kill()
        has_ticks(client, 2)
    none_is_missing(ticks(client))


def test_a_deleted_set_of_next_ticks_costs_no_tick(
    site: Site, client: redis.Redis
) -> None:
    site.write(BEAT.replace("every(1)", 'every(1, catch_up="all")'))
    clock = site.clock()
    has_ticks(client, 1)
    client.delete("flow:clock:beats:next")
    has_ticks(client, 2)
    none_is_missing(ticks(client))
    assert clock.words.count("1 schedule was lost from those that come next") == 1


def test_a_leader_that_is_stopped_hands_over(site: Site, client: redis.Redis) -> None:
    site.clocks(2)
    first = site.wait_for_leader(client)
    has_ticks(client, 1)
    assert first.stop() == 0
    assert first.said("clock has stopped")
    second = site.wait_for_leader(client)
    assert second.pid != first.pid
    has_ticks(client, 2)
    none_is_missing(ticks(client))


def test_ctrl_c_ends_a_clock_well(site: Site) -> None:
    clock = site.clock()
    clock.send(signal.SIGINT)
    wait_until(lambda: clock.ended, timeout=60, waiting_for="the end")
    assert clock.stop() == 0


def test_delayed_jobs_are_enqueued_by_a_clock(
    server: Server, client: redis.Redis, tmp_path: Path
) -> None:
    site = Site(tmp_path / "app", server.url, FLAKY)
    try:
        site.clock()
        with store_of(server.url) as store:
            _enqueue_in(store, 0.3, queue="late")
        wait_until(lambda: queued(client, "late"), waiting_for="the delayed job")
    finally:
        site.end()


def test_delayed_and_retried_jobs_need_no_clock(
    server: Server, client: redis.Redis, tmp_path: Path
) -> None:
    site = Site(tmp_path / "app", server.url, FLAKY)
    ledger = tmp_path / "ledger"
    options = ("--queues", "default", "--processes", "1")
    with (
        store_of(server.url) as store,
        workers.worker(server.url, *options, app="beats", folder=site.folder),
    ):
        _enqueue_in(store, 0.2, queue="default", args=(str(ledger),))
        wait_until(
            lambda: ledger.exists() and ledger.read_text() == "xx",
            timeout=60,
            waiting_for="the retry",
        )
    del client


def test_a_restart_takes_what_is_declared_now(site: Site, client: redis.Redis) -> None:
    site.write(CALM)
    site.clock().stop()
    assert site.schedules(client) == {"beats-yearly", "beats-daily"}
    before = client.zscore("flow:clock:beats:next", "beats-daily")
    site.write(CALM.replace("@every(86400)", '@every(86400, args=("now",))'))
    clock = site.clock()
    assert clock.said("changed beats-daily")
    assert client.zscore("flow:clock:beats:next", "beats-daily") == before
    site.write(CALM.replace("@every(86400)\n", ""))
    assert site.clock().said("removed beats-daily")
    assert site.schedules(client) == {"beats-yearly"}


def test_two_apps_on_one_server_leave_each_other_alone(
    site: Site, server: Server, client: redis.Redis, tmp_path: Path
) -> None:
    other = Site(tmp_path / "other", server.url, CALM, name="calm")
    try:
        site.clock()
        assert not other.clock().said("removed")
        has_ticks(client, 2)
        other.write("")
        assert other.clock().said("removed calm-daily, calm-yearly")
        has_ticks(client, 2)
    finally:
        other.end()
    none_is_missing(ticks(client))


def test_clocks_outlive_a_server_that_is_restarted(
    site: Site, server: Server, client: redis.Redis
) -> None:
    clocks = site.clocks(2)
    has_ticks(client, 1)
    server.kill()
    wait_until(
        lambda: all(clock.said("waiting for Redis") for clock in clocks),
        timeout=60,
        waiting_for="the clocks to notice",
    )
    server.start()
    has_ticks(client, 2)
    found = ticks(client)
    assert len(found) == len(set(found))
    assert not any(clock.ended for clock in clocks)


def test_a_clock_waits_for_a_server_that_is_not_there_yet(
    server: Server, tmp_path: Path
) -> None:
    site = Site(tmp_path / "app", server.url)
    server.kill()
    try:
        clock, stopped = site.start(), site.start()
        wait_until(
            lambda: all(one.said("waiting for Redis") for one in (clock, stopped)),
            timeout=60,
            waiting_for="their word",
        )
        assert stopped.stop() == 0
        server.start()
        wait_until(lambda: clock.said("clock is up"), timeout=60, waiting_for="its up")
    finally:
        site.end()


def test_a_clock_without_schedules_still_serves_delayed_jobs(
    server: Server, client: redis.Redis, tmp_path: Path
) -> None:
    site = Site(tmp_path / "app", server.url, "")
    try:
        assert site.clock().said("0 schedules of beats")
        with store_of(server.url) as store:
            _enqueue_in(store, 0.1, queue="late")
        wait_until(lambda: queued(client, "late"), waiting_for="the delayed job")
    finally:
        site.end()


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ('@cron("61 * * * *")', "61"),
        ('@cron("0 7 * * *", tz="Europe/Lundon")', "Europe/London"),
        ("@every(0.5)", "from 1 second"),
    ],
)
def test_a_schedule_that_is_wrong_is_one_clear_line(
    server: Server, tmp_path: Path, source: str, says: str
) -> None:
    source = f"from flow import *\n\n{source}\n@task\ndef wrong() -> None: ...\n"
    site = Site(tmp_path / "app", server.url, source)
    ended = site.run()
    assert ended.returncode == 2
    assert says in ended.stderr
    assert ended.stderr.startswith("flow: ")
    assert ended.stderr.count("\n") == 1


def test_a_clock_needs_an_app(server: Server, tmp_path: Path) -> None:
    site = Site(tmp_path / "app", server.url)
    (site.folder / "pyproject.toml").unlink()
    ended = site.run()
    assert ended.returncode == 2
    assert "no app is named" in ended.stderr


def _enqueue_in(
    store: Store, delay: float, queue: str, args: tuple[str, ...] = ()
) -> None:
    call = Invocation("beats.flaky", args)
    store.enqueue([JobRecord("delayed", call, queue, delay=delay, retries=1)])


def test_cancel_previous_stops_the_job_that_runs(
    server: Server, client: redis.Redis, tmp_path: Path
) -> None:
    site = Site(tmp_path / "an app", server.url, ENDLESS, "endless")
    ledger = site.folder / "ledger"
    try:
        site.clock()
        with workers.worker(
            server.url, "--processes", "1", app="endless", folder=site.folder
        ):
            wait_until(
                lambda: ledger.exists() and ledger.read_text().count("begins") > 2,
                timeout=60,
                waiting_for="the third run",
            )
    finally:
        site.end()
    # There is one slot: the next could not begin had the one before not ended.
    assert ledger.read_text().split()[:5] == ["begins", "stopped"] * 2 + ["begins"]
    assert client.zcard("rq:canceled:default") >= 2
    assert client.zcard("rq:failed:default") == 0
