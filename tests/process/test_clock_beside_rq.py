"""flow clock beside RQ's own schedulers, and with their files and entries."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from flow.record import Invocation, JobRecord
from tests.scheduler.clocks import Site, queued, store_of, ticks
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import redis

    from tests.support.server import Server

pytestmark = pytest.mark.leaves_keys  # rq-scheduler's jobs stay for ever
MANY = 2000
RQ = """\
import sys
from redis import Redis
from rq.scheduler import RQScheduler

scheduler = RQScheduler(["bulk"], connection=Redis.from_url(sys.argv[1]))
scheduler.acquire_locks()
scheduler.work()
"""
ENTRY = """\
import sys
from datetime import datetime
from redis import Redis
from flow.scheduler import Scheduler
import plain

scheduler = Scheduler(connection=Redis.from_url(sys.argv[1]))
scheduler.schedule(datetime(2026, 1, 1), plain.act, interval=3600, id="theirs")
"""
FILE = """\
from rq import cron
import plain

cron.register(plain.act, queue_name="default", interval=1)
cron.register(plain.act, queue_name="mail", cron="0 7 * * *", job_timeout="1h")
"""


@pytest.fixture
def site(server: Server, tmp_path: Path) -> Iterator[Site]:
    """An app without schedules, beside a module of plain functions."""
    site = Site(tmp_path / "an app", server.url, "")
    (site.folder / "plain.py").write_text("def act() -> None: ...\n")
    yield site
    site.end()


def python(site: Site, source: str) -> subprocess.Popen[bytes]:
    """Start a program in the site's folder."""
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", source, site.url],
        cwd=site.folder,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(site.folder)},
    )


def delay_many(site: Site, queue: str, over: float) -> None:
    """Enqueue many jobs that come due one after another, the first at once."""
    begin = time.time()
    call = Invocation("plain.act")
    with store_of(site.url) as store:
        store.enqueue(
            [
                JobRecord(f"job-{n}", call, queue, due=begin + over * n / MANY)
                for n in range(MANY)
            ]
        )


def test_three_clocks_and_schedulers_of_rq_enqueue_each_delayed_job_once(
    site: Site, client: redis.Redis
) -> None:
    site.clocks(3)
    theirs = [python(site, RQ) for _ in range(2)]
    try:
        delay_many(site, "bulk", over=4)
        wait_until(
            lambda: client.zcard("rq:scheduled:bulk") == 0,
            timeout=120,
            waiting_for="the last delayed job",
        )
        wait_until(lambda: len(queued(client, "bulk")) >= MANY, waiting_for="all jobs")
        assert sorted(queued(client, "bulk")) == sorted(f"job-{n}" for n in range(MANY))
    finally:
        for process in theirs:
            process.kill()
            process.wait()


def test_a_queue_whose_lock_rq_holds_is_left_to_it(
    site: Site, client: redis.Redis
) -> None:
    client.set("rq:scheduler-lock:bulk", "somebody", ex=60)
    clock = site.clock()
    delay_many(site, "bulk", over=0)
    wait_until(
        lambda: clock.said("delayed jobs of bulk are left to the scheduler of RQ"),
        timeout=60,
        waiting_for="its word",
    )
    assert queued(client, "bulk") == []
    client.delete("rq:scheduler-lock:bulk")
    wait_until(
        lambda: len(queued(client, "bulk")) == MANY, timeout=60, waiting_for="all jobs"
    )
    assert client.get("rq:scheduler-lock:bulk") == b"flow"


def test_entries_of_rq_scheduler_are_served(site: Site, client: redis.Redis) -> None:
    site.clock()
    assert python(site, ENTRY).wait(60) == 0
    wait_until(lambda: queued(client) == ["theirs"], timeout=60, waiting_for="its tick")


def test_entries_are_imported_by_a_command(site: Site, client: redis.Redis) -> None:
    assert python(site, ENTRY).wait(60) == 0
    told = site.run("import", "--dry-run").stdout
    assert "1 of 1 entries would be taken over" in told
    ended = site.run("import")
    assert "theirs  schedule  every hour" in ended.stdout
    assert client.zcard("rq:scheduler:scheduled_jobs") == 0
    assert site.schedules(client) == {"theirs"}


def test_a_file_written_for_rq_cron_is_served(site: Site, client: redis.Redis) -> None:
    (site.folder / "cron_config.py").write_text(FILE)
    clock = site.clock("--cron-file", "cron_config.py")
    assert clock.said("2 schedules of beats")
    wait_until(
        lambda: len(ticks(client, "plain-act")) > 1, timeout=60, waiting_for="ticks"
    )
    raw: Any = client
    fields = raw.hgetall("flow:clock:beats:job:plain-act--2")
    assert (fields[b"timeout"], fields[b"origin"]) == (b"3600", b"mail")


def test_a_cron_file_that_cannot_be_used_is_one_clear_line(site: Site) -> None:
    (site.folder / "broken.py").write_text("1 / 0\n")
    (site.folder / "wrong.py").write_text(FILE.replace("interval=1", "interval=0"))
    for name in ("broken.py", "missing.py", "wrong.py"):
        ended = site.run("--cron-file", name)
        assert ended.returncode == 2
        assert f"the cron file '{name}' cannot be used" in ended.stderr
        assert ended.stderr.count("\n") == 1
