"""Clocks, RQ's scheduler and rq-scheduler's promote the same jobs: each runs once."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import rq

from flow.record import Invocation, JobRecord
from tests.scheduler.clocks import Site, store_of
from tests.support import workers
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

    from tests.support.server import Server

pytestmark = [
    pytest.mark.leaves_keys,  # rq-scheduler's jobs stay for ever
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
JOBS = int(os.environ.get("FLOW_CHAOS_DELAYED", "20000"))
OVER = 30.0  # seconds over which they come due
PROGRAMS = Path(sys.executable).parent
PLAIN = """\
import os


def act(number: int) -> None:
    file = os.open("ledger", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, f"{number} ".encode())
    os.close(file)
"""


@pytest.fixture
def site(server: Server, tmp_path: Path) -> Iterator[Site]:
    """Three clocks of an app without schedules, beside a module of plain functions."""
    site = Site(tmp_path / "app", server.url, "")
    (site.folder / "plain.py").write_text(PLAIN)
    site.clocks(3)
    yield site
    site.end()


def program(site: Site, name: str, *options: str) -> subprocess.Popen[bytes]:
    """Start a program of RQ's world in the site's folder."""
    with (site.folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            [PROGRAMS / name, *options, "--url", site.url],
            cwd=site.folder,
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONPATH": os.fspath(site.folder)},
        )


def delay_all(site: Site, client: redis.Redis) -> None:
    """Delay jobs in all three ways, so that they come due one after another."""
    begin = time.time() + 5
    queue, theirs = rq.Queue("bulk", connection=client), JOBS // 10
    scheduler = importlib.import_module("rq_scheduler").Scheduler(
        "bulk", connection=client
    )
    for n in range(theirs):
        at = datetime.fromtimestamp(begin + OVER * n / theirs, UTC)
        queue.enqueue_at(at, "plain.act", n)
        scheduler.enqueue_at(at.replace(tzinfo=None), "plain.act", theirs + n)
    ours = range(2 * theirs, JOBS)
    jobs = [
        JobRecord(
            f"ours-{n}",
            Invocation("plain.act", (n,)),
            "bulk",
            due=begin + OVER * at / len(ours),
        )
        for at, n in enumerate(ours)
    ]
    with store_of(site.url) as store:
        store.enqueue(jobs)


def done(site: Site) -> list[int]:
    """Return the numbers of the jobs that ran, once for each time."""
    ledger = site.folder / "ledger"
    return [int(word) for word in ledger.read_text().split()] if ledger.exists() else []


def test_each_delayed_job_runs_once_whoever_promotes_it(
    site: Site, client: redis.Redis
) -> None:
    began = time.monotonic()
    with ExitStack() as stack:
        for words in (
            ("rq", "worker", "bulk", "--with-scheduler", "--quiet"),
            ("rqscheduler", "--interval", "1"),
        ):
            running = program(site, *words)
            stack.callback(running.wait)
            stack.callback(running.terminate)
        options = ("--queues", "bulk", "--processes", "2")
        stack.enter_context(
            workers.worker(site.url, *options, app="beats", folder=site.folder)
        )
        delay_all(site, client)
        wait_until(
            lambda: len(set(done(site))) == JOBS,
            timeout=600,
            waiting_for=f"{JOBS} jobs",
            every=1.0,
        )
    assert sorted(done(site)) == list(range(JOBS))
    sys.stderr.write(f"\n  {JOBS} jobs, each once, {time.monotonic() - began:.0f} s\n")
