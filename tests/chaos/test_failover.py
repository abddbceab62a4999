"""Fail-overs in a row, by order and by kill, while jobs are enqueued and run."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import pytest

from flow.errors import ServerUnreachable
from flow.store import current
from flow.store.address import Address
from flow.store.client import Store
from tests.support import hazards
from tests.support.faults import Yard, settled
from tests.support.sentinels import MASTER, Node, Watched, watched
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROUNDS = 4
LONG = 300.0  # seconds: sentinels that find themselves late rest for a while
EACH = 300  # jobs that a new master takes before the next fail-over


@pytest.fixture
def servers() -> Iterator[Watched]:
    with watched(sentinels=3) as servers:
        yield servers


@pytest.fixture
def yard(servers: Watched, tmp_path: Path) -> Iterator[Yard]:
    store = Store(Address(servers.url, "the test"))
    current.use(store)
    yield Yard(servers.url, tmp_path)
    current.use(None)
    store.link.close()


def enqueue(yard: Yard, done: threading.Event, numbers: list[str]) -> None:
    """Enqueue without end, as a client that tries again; note what was acknowledged."""
    for n in range(1_000_000):
        if done.is_set():
            return
        try:
            hazards.note.enqueue(yard.ledger, n)
        except ServerUnreachable:
            done.wait(0.05)
        else:
            numbers.append(str(n))


def test_workers_outlive_fail_overs(servers: Watched, yard: Yard) -> None:
    done, numbers = threading.Event(), list[str]()
    client = threading.Thread(target=enqueue, args=(yard, done, numbers))
    leader, other = servers.first, servers.second
    with yard.worker(processes=2) as worker:
        yard.said("worker is up")
        client.start()
        try:
            for round_ in range(ROUNDS):
                yard.expect(len(yard.noted()) + EACH)
                fail_over(servers, leader, other, by_kill=round_ % 2 == 1)
                leader, other = other, leader
            yard.expect(len(yard.noted()) + EACH)
        finally:
            done.set()
            client.join()
        settled(current.store())
        assert worker.poll() is None
        assert "died" not in yard.log()
    ran = set(yard.noted())
    lost = [n for n in numbers if n not in ran]
    sys.stderr.write(f"\n  {len(numbers)} jobs, {len(lost)} lost by Redis\n")
    # What a master had acknowledged, and had not sent on when it was left: no more.
    assert len(lost) < len(numbers) / 10


def fail_over(servers: Watched, leader: Node, other: Node, *, by_kill: bool) -> None:
    """Have the other one lead, and the first one follow it."""
    if by_kill:
        leader.kill()
    else:
        with servers.sentinels[0].client() as sentinel:
            sentinel.execute_command("SENTINEL", "FAILOVER", MASTER)
    wait_until(lambda: servers.leads(other), timeout=LONG, waiting_for="a new master")
    if by_kill:
        leader.start()
    wait_until(
        lambda: servers.replicates(leader),
        timeout=LONG,
        waiting_for="the old master to follow the new one",
    )
