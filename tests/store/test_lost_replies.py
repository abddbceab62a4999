"""Every script, its connection cut after it ran and before its reply, many times.

The store repeats the call: nothing may be stranded, doubled or falsely refused.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from flow.record import Status
from flow.store.client import Store, Worker
from tests.support.leaks import places, queued
from tests.support.proxy import Proxy, proxied
from tests.support.turns import Turns, begun, failed, finished, record, retried

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flow.outcome import Outcome
    from flow.record import Claim
    from tests.support.server import Server

TIMES = 50


@pytest.fixture
def proxy(server: Server, tmp_path: Path) -> Iterator[Proxy]:
    with proxied(server.socket, tmp_path / "p") as proxy:
        yield proxy


@pytest.fixture
def away(proxy: Proxy, store: Store) -> Iterator[Store]:
    """The same jobs, seen through the proxy."""
    away = Store(replace(store.link.address, url=proxy.url))
    yield away
    away.link.close()


def test_enqueue(store: Store, away: Store, proxy: Proxy) -> None:
    waiting: list[str] = []
    scheduled: list[str] = []
    for n in range(TIMES):
        proxy.lose("enqueue")
        usual = record()
        chosen = replace(record(), id=f"mine-{n}", chosen=True, result_ttl=0)
        later = replace(record(), delay=600)
        away.enqueue([usual, chosen, later])
        waiting += [usual.id, chosen.id]
        scheduled.append(later.id)
    assert proxy.lost == TIMES
    assert queued(store) == waiting
    assert [places(store, job_id) for job_id in scheduled] == [["scheduled"]] * TIMES


def test_enqueue_of_children(store: Store, away: Store, proxy: Proxy) -> None:
    turns = Turns(store)
    for _ in range(TIMES):
        parent = record()
        store.enqueue([parent])
        child = replace(record(), depends_on=(parent.id,))
        proxy.lose("enqueue")
        away.enqueue([child])
        claim = turns.one()
        assert claim.job_id == parent.id
        grown = turns.take(5, finished(claim))
        assert [one.job_id for one in grown] == [child.id]
        turns.settle(finished(grown[0]))
    assert proxy.lost == TIMES


def test_claim(store: Store, away: Store, proxy: Proxy) -> None:
    jobs = [record() for _ in range(3 * TIMES)]
    store.enqueue(jobs)
    turns = Turns(away)
    claimed: list[str] = []
    for _ in range(TIMES):
        proxy.lose("exchange")
        claimed += [claim.job_id for claim in turns.take(3)]
    assert proxy.lost == TIMES
    assert claimed == [job.id for job in jobs]
    assert len(store.held(["default"])) == len(jobs)


def test_settle_together_with_the_next_claim(
    store: Store, away: Store, proxy: Proxy
) -> None:
    def outcome(n: int, claim: Claim) -> Outcome:
        kinds: list[Callable[[Claim], Outcome]] = [finished, failed, retried]
        return kinds[n % 3](claim)

    jobs = [replace(record(), retries=9) for _ in range(TIMES)]
    store.enqueue(jobs)
    turns = Turns(away)
    (claim,) = turns.take(1)
    for n in range(1, TIMES):
        proxy.lose("exchange")
        (claim,) = turns.take(1, outcome(n, claim))
        assert turns.refused == []
    assert turns.settle(finished(claim)) == []
    assert proxy.lost == TIMES - 1
    states = [places(store, job.id) for job in jobs]
    assert all(len(where) == 1 for where in states)
    assert store.held(["default"]) == []


def test_a_refusal_is_told_again(store: Store, away: Store, proxy: Proxy) -> None:
    jobs = [record() for _ in range(TIMES)]
    store.enqueue(jobs)
    turns = Turns(away)
    for job in jobs:
        claim = turns.one()
        store.unclaim([claim])
        other = Turns(store)
        again = other.one()
        proxy.lose("exchange")
        assert turns.settle(finished(claim, "late")) == [(job.id, "lost")]
        assert other.settle(finished(again)) == []
    assert proxy.lost == TIMES


def test_unclaim(store: Store, away: Store, proxy: Proxy) -> None:
    jobs = [record() for _ in range(5)]
    store.enqueue(jobs)
    turns = Turns(store)
    for _ in range(TIMES):
        claims = turns.take(4)
        proxy.lose("unclaim")
        away.unclaim(claims)
    assert proxy.lost == TIMES
    assert queued(store) == [job.id for job in jobs]
    assert store.held(["default"]) == []


def test_recover(store: Store, away: Store, proxy: Proxy) -> None:
    for _ in range(TIMES):
        job, dead = record(), replace(record(), on_crash="fail")
        store.enqueue([job, dead])
        turns = Turns(store)
        turns.take(2)
        assert begun(store, dead.id)
        held = [(one, "crashed") for one in store.held(["default"])]
        proxy.lose("recover")
        away.recover(held, worker="w", text="gone")
        assert queued(store) == [job.id]
        assert places(store, dead.id) == ["failed"]
        again = Turns(store)
        assert again.settle(finished(again.one())) == []
    assert proxy.lost == TIMES


def test_protect(store: Store, away: Store, proxy: Proxy) -> None:
    for _ in range(TIMES):
        store.enqueue([record()])
        turns = Turns(store)
        claim = turns.one()
        proxy.lose("protect")
        assert away.protect(claim)
        assert turns.settle(finished(claim)) == []
    assert proxy.lost == TIMES


def test_promote(store: Store, away: Store, proxy: Proxy) -> None:
    jobs = [replace(record(), due=float(n + 1)) for n in range(TIMES)]
    store.enqueue(jobs)
    for _ in range(TIMES):
        proxy.lose("promote")
        away.promote(["default"], limit=1)
    assert proxy.lost == TIMES
    assert queued(store) == [job.id for job in jobs]


def test_cancel(store: Store, away: Store, proxy: Proxy) -> None:
    for _ in range(TIMES):
        job = record()
        store.enqueue([job])
        proxy.lose("cancel")
        assert away.cancel(job.id) is True
        assert store.status(job.id) is Status.CANCELED
    assert proxy.lost == TIMES


def test_trim(store: Store, away: Store, proxy: Proxy) -> None:
    for n in range(TIMES):
        store.link.command("ZADD", "rq:finished:default", 5, f"job-{n}")
        proxy.lose("trim")
        away.trim("default", 10)
    assert proxy.lost == TIMES
    assert store.link.command("EXISTS", "rq:finished:default") == 0


def test_beat_and_leave(store: Store, away: Store, proxy: Proxy) -> None:
    for n in range(TIMES):
        worker = Worker("w", ("default",), (f"p{n}",), {"birth": "-"}, n, 0, n / 2)
        proxy.lose("beat")
        away.beat(worker, 60)
        done = store.link.command("HGET", "rq:worker:w", "successful_job_count")
        assert int(done) == n
        proxy.lose("leave")
        away.leave([f"p{n}"])
        assert store.beats() == {}
    assert proxy.lost == 2 * TIMES
