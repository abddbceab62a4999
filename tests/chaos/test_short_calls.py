"""No script call is long: half a million jobs, and ten thousand queues."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flow import keys
from flow.queue import new_id
from flow.store import scripts
from flow.store.client import Worker
from flow.store.leftovers import sweep, trim
from flow.store.wires import Wires
from flow.upkeep.janitor import SAMPLE, SILENCE, SLICE
from flow.upkeep.promoter import Promoter
from flow.upkeep.rounds import rounds
from flow.workers.outbox import AT_ONCE
from tests.support.turns import Turns, failed, finished, record, retried

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flow.record import JobRecord
    from flow.store.client import Store

Untyped = Any  # redis-py leaves its replies untyped
Words = tuple[Any, ...]  # of a command
MANY, QUEUES, AT_A_TIME = 100_000, 10_000, 5000
PARENTS = 3  # for each of which a third of them waits
CANCELED = 5  # jobs in each of the queues
LONGEST = 0.005  # seconds
TURNS = 300  # of each service: a round of all queues, and more
LUA = Path(scripts.__file__).parent / "lua"
# Another program may take the processor's caches away; nine calls in ten are its own.
SHARE = 0.9


class Meter:
    """Measures what each script call takes of the server's processor.

    Args:
        client: asks the server.
    """

    def __init__(self, client: Untyped) -> None:
        self.taken: defaultdict[str, list[float]] = defaultdict(list)
        self._client = client
        names = [path.stem for path in LUA.glob("*.lua")]
        self._names = {scripts.load(name).sha: name for name in names}

    def around(self, call: Callable[[Wires, Words], Any]) -> Callable[..., Any]:
        """Return what does as ``call`` does, and measures it."""

        def measured(wires: Wires, words: Words) -> Any:  # noqa: ANN401 - as the server answers
            before = self._used()
            reply = call(
                wires, words
            )  # one that is not loaded yet raises, and is quick
            if words[0] == "EVALSHA":
                self.taken[self._names[words[1]]].append(self._used() - before)
            return reply

        return measured

    def best(self, name: str, count: int, call: Callable[[], object]) -> float:
        """Return the seconds of the best of some calls, too few to be usual."""
        before = len(self.taken[name])
        for _ in range(count):
            call()
        return min(self.taken[name][before:])

    def long(self) -> dict[str, float]:
        """Return the scripts that take too long, and how long."""
        usual = {
            name: sorted(taken)[int(len(taken) * SHARE)]
            for name, taken in self.taken.items()
        }
        return {name: took for name, took in usual.items() if took > LONGEST}

    def _used(self) -> float:
        used: dict[str, float] = self._client.info("cpu")
        # Not the process's: other threads of it free memory.
        return used["used_cpu_user_main_thread"] + used["used_cpu_sys_main_thread"]


def enqueue(store: Store, jobs: list[JobRecord]) -> None:
    for start in range(0, len(jobs), AT_A_TIME):
        store.enqueue(jobs[start : start + AT_A_TIME])


def leave_behind(client: Untyped) -> None:
    """Fill what the janitor looks at, as RQ's client and what has expired leave it."""
    pipeline = client.pipeline(transaction=False)
    for number in range(QUEUES):
        name = f"queue-{number}"
        pipeline.sadd(keys.QUEUES, keys.queue(name))
        pipeline.rpush(keys.queue(name), "nobody")
        pipeline.zadd(keys.registry("finished", name), {"expired": 1})
        for job_id in (f"{name}-{job}" for job in range(CANCELED)):
            pipeline.zadd(keys.registry("canceled", name), {job_id: 2**31})
            pipeline.hset(keys.job(job_id), "status", "canceled")  # by RQ's client
    for number in range(MANY):
        pipeline.zadd(keys.registry("failed", "default"), {f"expired-{number}": 1})
        pipeline.zadd(keys.registry("canceled", "gone"), {f"job-{number}": 1})
        pipeline.hset(keys.job(f"job-{number}"), "status", "canceled")
    pipeline.execute()


@pytest.fixture
def full(store: Store, client: Untyped) -> Iterator[Turns]:
    """A hundred thousand jobs of each kind; gives who runs the parents of one kind."""
    client.execute_command("DEBUG", "SET-ACTIVE-EXPIRE", "0")
    client.config_set("appendonly", "no")
    parents = [record("parents") for _ in range(PARENTS)]
    enqueue(store, [record() for _ in range(MANY)])
    turns = Turns(store)
    while claims := turns.take(AT_ONCE):
        turns.settle(*[finished(claim) for claim in claims])
    store.enqueue(parents)
    for parent in parents:
        child = replace(record(), depends_on=(parent.id,))
        ids = (new_id() for _ in range(MANY // PARENTS))
        enqueue(store, [replace(child, id=job_id) for job_id in ids])
    soon = time.time() + 1
    enqueue(store, [replace(record(), due=soon) for _ in range(MANY)])
    enqueue(store, [record() for _ in range(MANY)])
    leave_behind(client)
    yield Turns(store, "parents")
    client.execute_command("DEBUG", "SET-ACTIVE-EXPIRE", "1")
    client.config_set("appendonly", "yes")


@pytest.mark.leaves_keys("half a million jobs that nobody runs")
def test_no_script_call_is_long_whatever_waits(
    full: Turns, store: Store, client: Untyped, monkeypatch: pytest.MonkeyPatch
) -> None:
    parents = full.take(PARENTS)
    assert len(parents) == PARENTS
    meter = Meter(client)
    monkeypatch.setattr(Wires, "call", meter.around(Wires.call))
    for _ in range(10):
        jobs = [record() for _ in range(200)]
        store.enqueue(jobs)
        late = replace(record(), due=time.time() + 900)
        store.enqueue([late])
        for job in (jobs[0], late):
            assert store.cancel(job.id)
        run(store)
    ended = iter([finished(parent) for parent in parents])
    some = [f"queue-{number}" for number in range(100)]
    few = SAMPLE // len(some)
    best = {
        "exchange": meter.best("exchange", PARENTS, lambda: full.settle(next(ended))),
        "trim": meter.best("trim", 10, lambda: trim(store, ["gone"], SLICE)),
        "sweep": meter.best("sweep", 10, lambda: sweep(store, some, few, SILENCE)),
    }
    assert {name for name, took in best.items() if took > LONGEST} == set()
    services = [Promoter(store), *rounds(store)]
    for _ in range(TURNS):
        for service in services:
            service.run_once()
    queues = [f"queue-{number}" for number in range(50)]
    store.beat(Worker("w", queues, [f"p{n}" for n in range(8)], {"birth": "-"}), 60)
    assert len(meter.taken) > 10
    assert meter.long() == {}


def run(store: Store) -> None:
    """Do with jobs whatever a process does, and what is done when it dies."""
    turns = Turns(store)
    claims = turns.take(AT_ONCE)
    claims = turns.take(AT_ONCE, *[finished(claim) for claim in claims])
    claims = turns.take(AT_ONCE, *[failed(claim) for claim in claims])
    claims = turns.take(AT_ONCE, *[retried(claim) for claim in claims])
    claims = turns.take(AT_ONCE, *[retried(claim, 900) for claim in claims])
    store.unclaim(claims)
    turns.take(AT_ONCE)
    held = [one for one in store.held(["default"]) if one.process == turns.name]
    store.recover([(one, "crashed") for one in held], worker="w", text="died")
