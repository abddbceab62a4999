"""Lost replies of what workers and clocks show, and of the janitor."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flow import keys
from flow.record import Status
from flow.store import beats, fleet, leftovers
from flow.store.client import BEGIN, Worker
from tests.support.losses.losing import loses
from tests.support.turns import Turns, finished, record

if TYPE_CHECKING:
    from tests.support.losses.losing import Losing


@loses("trim")
def trim(losing: Losing) -> None:
    command = losing.store.link.command
    for n in losing.rounds("trim"):
        command("ZADD", "rq:finished:default", 5, f"job-{n}")
        leftovers.trim(losing.away, ["default"], 10)
        assert command("EXISTS", "rq:finished:default") == 0


@loses("beat", "leave")
def beat_and_leave(losing: Losing) -> None:
    command = losing.store.link.command
    for n in losing.rounds("beat", "leave"):
        worker = Worker("w", ("default",), (f"p{n}",), {"birth": "-"}, n, 0, n / 2)
        losing.away.beat(worker, 60)
        assert int(command("HGET", "rq:worker:w", "successful_job_count")) == n
        losing.lose("leave")
        losing.away.leave([f"p{n}"])
        assert beats.look(losing.store, BEGIN).beats == {}


@loses("order")
def order(losing: Losing) -> None:
    losing.store.beat(Worker("w", ("default",), ("p",), {"birth": "-"}, 0, 0, 0), 60)
    orders: set[str] = set()
    for _ in losing.rounds("order"):
        assert fleet.order(losing.away, "w", "quiet")
        worker = Worker("w", ("default",), ("p",), {"birth": "-"}, 0, 0, 0)
        orders.add(losing.store.beat(worker, 60).order)
    assert len(orders) == losing.times
    losing.store.leave(["p"], "w", ["default"])


@loses("pulse")
def pulse(losing: Losing) -> None:
    command = losing.store.link.command
    for n in losing.rounds("pulse", "pulse"):
        losing.away.pulse("host", f"worker:{n}")
        assert command("HKEYS", "flow:host:host") == [f"worker:{n}".encode()]
        losing.lose("pulse")
        losing.away.pulse("host", f"worker:{n}", ended=True)
        assert command("EXISTS", "flow:host:host") == 0


@loses("look")
def look(losing: Losing) -> None:
    for n in losing.rounds("look"):
        losing.store.beat(Worker("w", ("default",), ("p",), {"birth": "-"}, n), 60)
        seen = beats.look(losing.away, BEGIN)
        assert seen == beats.look(losing.store, BEGIN)
        assert seen.beats.keys() == {"p"}


@loses("held")
def held(losing: Losing) -> None:
    losing.store.enqueue([record()])
    turns = Turns(losing.store)
    claim = turns.one()
    for _ in losing.rounds("held"):
        found, after = beats.held(losing.away, [turns.name], BEGIN)
        assert [one.job_id for one in found[turns.name]] == [claim.job_id]
        assert after == BEGIN
    turns.settle(finished(claim))


@loses("unserved")
def unserved(losing: Losing) -> None:
    losing.store.enqueue([record()])
    for _ in losing.rounds("unserved"):
        assert leftovers.unserved(losing.away, ["default"]) == ["default"]


@loses("tidy_group")
def tidy_group(losing: Losing) -> None:
    command = losing.store.link.command
    for n in losing.rounds("tidy_group"):
        command("SADD", keys.GROUPS, "them")
        command("SADD", "rq:group:them", f"gone-{n}")
        leftovers.tidy_group(losing.away, "them", 0, 10)
        assert command("EXISTS", keys.GROUPS, "rq:group:them") == 0


@loses("tidy_limit")
def tidy_limit(losing: Losing) -> None:
    command = losing.store.link.command
    for n in losing.rounds("tidy_limit"):
        command("SADD", keys.LIMITS, "api")
        command("HSET", "rq:rl:api", "concurrency", 1)
        command("ZADD", "rq:rl:api:allowed", 1, f"gone-{n}")
        leftovers.tidy_limit(losing.away, "api", 0, 10)
        assert command("EXISTS", keys.LIMITS, "rq:rl:api", "rq:rl:api:allowed") == 0


@loses("sweep")
def sweep(losing: Losing) -> None:
    command = losing.store.link.command
    for n in losing.rounds("sweep"):
        command("SADD", "rq:workers", f"rq:worker:killed-{n}")
        leftovers.sweep(losing.away, ["default"], 50, 600, "host")
        assert command("EXISTS", "rq:workers") == 0


@loses("orphan")
def orphan(losing: Losing) -> None:
    command = losing.store.link.command
    for _ in losing.rounds("orphan"):
        parent = record()
        child = replace(record(), depends_on=(parent.id,))
        losing.store.enqueue([parent, child])
        command("DEL", keys.job(parent.id), keys.queue("default"))
        # It was done, and is an orphan no more.
        assert leftovers.orphan(losing.away, child.id) is None
        assert losing.store.status(child.id) is Status.FAILED


@loses("strays", "discard")
def strays(losing: Losing) -> None:
    for n in losing.rounds("strays", "discard"):
        key = keys.results(f"gone-{n}")
        losing.store.link.command("XADD", key, "*", "type", 1)
        assert leftovers.strays(losing.away, BEGIN, 1000) == ([key.encode()], BEGIN)
        losing.lose("discard")
        leftovers.discard(losing.away, [key.encode()], 10)
        assert leftovers.strays(losing.store, BEGIN, 1000) == ([], BEGIN)
