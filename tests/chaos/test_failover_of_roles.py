"""A master is killed under workers, a clock and a client: all follow to the new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flow.errors import ServerUnreachable
from flow.store import current
from flow.store.address import Address
from flow.store.client import Store
from tests.scheduler.clocks import Site
from tests.support import hazards
from tests.support.faults import Yard, let_go, settled
from tests.support.sentinels import LONG, MASTER, Watched, watched
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flow import Job

JOBS = 1000
BEATS = """\
from flow import every, task


@every(1)
@task(queue="nobody serves it")
def beat() -> None: ...
"""


@pytest.fixture
def servers() -> Iterator[Watched]:
    """A master, its replica and a sentinel."""
    with watched() as servers:
        yield servers


@pytest.fixture
def own(servers: Watched, tmp_path: Path) -> Iterator[Yard]:
    """A yard on them, whose store the tasks of this test use."""
    store = Store(Address(servers.url, "the test"))
    current.use(store)
    yard = Yard(servers.url, tmp_path)
    yield yard
    current.use(None)
    store.link.close()
    yard.nothing_left()


def persistently(yard: Yard, word: str) -> Job[None]:
    """Enqueue a job, again and again while no master takes it."""

    def enqueued() -> Job[None] | None:
        try:
            return hazards.note.enqueue(yard.ledger, word)
        except ServerUnreachable:
            return None

    job = wait_until(enqueued, timeout=LONG, waiting_for="a master that takes a job")
    assert job
    return job


def ticks(site: Site) -> int:
    """Return how many ticks the ledger has; none while no master is in sight."""
    try:
        return len(site.ledger())
    except ServerUnreachable:
        return 0


def test_all_roles_follow_a_fail_over_while_they_work(
    servers: Watched, own: Yard, tmp_path: Path
) -> None:
    gate = own.gate()
    site = Site(tmp_path / "an app", servers.url, BEATS)
    with own.worker(processes=2) as worker:
        held = hazards.hold.enqueue(own.ledger, gate)
        own.running()
        clock = site.clock()
        jobs = hazards.note.enqueue_many([(own.ledger, n) for n in range(JOBS)])
        wait_until(servers.in_step, timeout=LONG, waiting_for="the replica")
        servers.first.kill()  # most of the jobs still wait
        let_go(gate, "ended meanwhile")
        jobs += [persistently(own, f"later {n}") for n in range(20)]
        assert held.result(LONG) == "ended meanwhile"
        settled(current.store())
        own.said(f"master {MASTER} is at 127.0.0.1:{servers.second.port} now")
        before = ticks(site)
        wait_until(
            lambda: ticks(site) > before,
            timeout=LONG,
            waiting_for="ticks that the new master has",
        )
        assert not clock.ended
        site.end()
        assert worker.poll() is None
        assert "died" not in own.log()
    assert {job.status for job in jobs} == {"finished"}
    words = {str(n) for n in range(JOBS)} | {f"later {n}" for n in range(20)}
    # What the old master had acknowledged and the replica had not: that ran twice.
    assert words <= set(own.noted())
