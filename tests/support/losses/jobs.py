"""Lost replies of the scripts that move jobs."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from flow import codec
from flow.outcome import Ending
from flow.queue import new_id
from flow.record import Batch, Status
from flow.store import delays, running
from tests.support.leaks import places, queued
from tests.support.losses.losing import loses
from tests.support.promoting import promote
from tests.support.turns import (
    Turns,
    begun,
    failed,
    finished,
    record,
    retried,
    stopped,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.outcome import Outcome
    from flow.record import Claim
    from tests.support.losses.losing import Losing


@loses("enqueue")
def enqueue(losing: Losing) -> None:
    waiting: list[str] = []
    later: list[str] = []
    for n in losing.rounds("enqueue"):
        usual = record()
        chosen = replace(record(), id=f"mine-{n}", chosen=True, result_ttl=0)
        delayed = replace(record(), delay=600)
        losing.away.enqueue([usual, chosen, delayed])
        waiting += [usual.id, chosen.id]
        later.append(delayed.id)
    assert queued(losing.store) == waiting
    scheduled = losing.store.link.command("ZRANGE", "rq:scheduled:default", 0, -1)
    assert sorted(job_id.decode() for job_id in scheduled) == sorted(later)


@loses("enqueue_one")
def enqueue_one(losing: Losing) -> None:
    waiting: list[str] = []
    for _ in losing.rounds("enqueue_one"):
        job = record()
        losing.away.enqueue([job])
        waiting.append(job.id)
    assert queued(losing.store) == waiting


@loses("enqueue")
def enqueue_a_child(losing: Losing) -> None:
    turns = Turns(losing.store)
    for _ in losing.rounds("enqueue"):
        parent = record()
        losing.store.enqueue([parent])
        child = replace(record(), depends_on=(parent.id,))
        losing.away.enqueue([child])
        claim = turns.one()
        assert claim.job_id == parent.id
        grown = turns.take(5, finished(claim))
        assert [one.job_id for one in grown] == [child.id]
        turns.settle(finished(grown[0]))


@loses("exchange")
def claim(losing: Losing) -> None:
    jobs = [record() for _ in range(3 * losing.times)]
    losing.store.enqueue(jobs)
    turns = Turns(losing.away)
    claimed: list[str] = []
    for _ in losing.rounds("exchange"):
        claimed += [claim.job_id for claim in turns.take(3)]
    assert claimed == [job.id for job in jobs]
    assert len(losing.store.held(["default"])) == len(jobs)


@loses("exchange")
def settle_together_with_the_next_claim(losing: Losing) -> None:
    kinds: list[Callable[[Claim], Outcome]] = [finished, failed, retried]
    jobs = [replace(record(), retries=9) for _ in range(losing.times + 1)]
    losing.store.enqueue(jobs)
    turns = Turns(losing.away)
    claim = turns.one()
    for n in losing.rounds("exchange"):
        (claim,) = turns.take(1, kinds[n % 3](claim))
        assert turns.refused == []
    assert turns.settle(finished(claim)) == []
    rooms = [places(losing.store, job.id) for job in jobs[:100]]
    assert all(len(where) == 1 for where in rooms)
    assert losing.store.held(["default"]) == []


@loses("exchange")
def refusal(losing: Losing) -> None:
    turns = Turns(losing.away)
    for _ in losing.rounds("exchange"):
        job = record()
        losing.store.enqueue([job])
        losing.lose("unclaim")  # so that this claim's reply arrives
        claim = turns.one()
        losing.store.unclaim([claim])
        other = Turns(losing.store)
        again = other.one()
        losing.lose("exchange")
        assert turns.settle(finished(claim, "late")) == [(job.id, "lost")]
        assert other.settle(finished(again)) == []


@loses("unclaim")
def unclaim(losing: Losing) -> None:
    jobs = [record() for _ in range(5)]
    losing.store.enqueue(jobs)
    turns = Turns(losing.store)
    for _ in losing.rounds("unclaim"):
        losing.away.unclaim(turns.take(4))
    assert queued(losing.store) == [job.id for job in jobs]
    assert losing.store.held(["default"]) == []


@loses("recover")
def recover(losing: Losing) -> None:
    for _ in losing.rounds("recover"):
        job, dead = record(), replace(record(), on_crash="fail")
        losing.store.enqueue([job, dead])
        Turns(losing.store).take(2)
        assert begun(losing.store, dead.id)
        held = [(one, "crashed") for one in losing.store.held(["default"])]
        losing.away.recover(held, worker="w", text="gone")
        assert queued(losing.store) == [job.id]
        assert losing.store.status(dead.id) is Status.FAILED
        again = Turns(losing.store)
        assert again.settle(finished(again.one())) == []


@loses("judge")
def judge(losing: Losing) -> None:
    endings: list[Callable[[Claim], Outcome]] = [failed, stopped, retried]
    jobs = [replace(record(), retries=1) for _ in range(losing.times)]
    losing.store.enqueue(jobs)
    turns, ended = Turns(losing.store), {"worker": "w", "text": "", "how": "timeout"}
    for n in losing.rounds("judge"):
        outcome = endings[n % 3](turns.one())
        assert running.judge(losing.away, outcome, **ended) is None
        if outcome.ending is Ending.RETRY:
            turns.settle(finished(turns.one()))
    assert losing.store.held(["default"]) == []


@loses("protect")
def protect(losing: Losing) -> None:
    turns = Turns(losing.store)
    for _ in losing.rounds("protect"):
        losing.store.enqueue([record()])
        claim = turns.one()
        assert losing.away.protect(claim)
        assert turns.settle(finished(claim)) == []


@loses("promote")
def promoted(losing: Losing) -> None:
    jobs = [replace(record(), due=float(n + 1)) for n in range(losing.times)]
    losing.store.enqueue(jobs)
    for _ in losing.rounds("promote"):
        promote(losing.away, limit=1)
    assert queued(losing.store) == [job.id for job in jobs]


@loses("release_more")
def release_more(losing: Losing) -> None:
    turns = Turns(losing.store)
    for _ in losing.rounds("release_more"):
        parent = record()
        losing.store.enqueue([parent])
        claim = turns.one()
        like = replace(record("waiting"), depends_on=(parent.id,))
        calls = [(new_id(), like.invocation) for _ in range(300)]
        losing.store.enqueue_batches([Batch(like, calls)])
        turns.settle(finished(claim, ttl=0))
        while delays.release_more(losing.away.link, time.time()):
            pass
        assert sorted(queued(losing.store, "waiting")) == sorted(i for i, _ in calls)
        losing.store.link.command("FLUSHALL")


@loses("cancel")
def cancel(losing: Losing) -> None:
    for _ in losing.rounds("cancel"):
        job = record()
        losing.store.enqueue([job])
        assert losing.away.cancel(job.id) is True
        assert losing.store.status(job.id) is Status.CANCELED


@loses("peek")
def peek(losing: Losing) -> None:
    job = record()
    losing.store.enqueue([job])
    for _ in losing.rounds("peek"):
        call = running.peek(losing.away, ["empty", "default"])
        assert codec.path_of(call) == job.invocation.path


@loses("owned")
def owned(losing: Losing) -> None:
    losing.store.enqueue([record(), record()])
    kept, lost = Turns(losing.store).take(2)
    losing.store.unclaim([lost])
    for _ in losing.rounds("owned"):
        assert running.owned(losing.away, [kept, lost], "ours") == [kept]
