"""A machine that does at random what can befall jobs, to a server and to a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from flow import keys
from flow.record import Invocation, JobRecord
from flow.store import current
from tests.support import turns
from tests.support.held import in_model, on_server
from tests.support.leaks import leaks
from tests.support.model import LATER, Model, Modelled
from tests.support.promoting import promote
from tests.support.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable

    from flow.outcome import Outcome
    from flow.record import Claim
    from flow.store.client import Held

QUEUES = ("high", "low")
SERVED = (("high", "low"), ("low",), ("low", "high"))
NTH = st.integers(0, 40)  # one of a list, whatever its length
SOME = st.lists(NTH, max_size=2)
ENDINGS = st.sampled_from(
    [
        *("finished", "failed", "discarded", "at once", "later"),
        *("postponed", "interrupted"),
    ]
)
PATIENT = [
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.filter_too_much,
]
HOW = st.sampled_from(["claimed", "loading", "stopped", "crashed"])
MAKE: dict[str, Callable[[Claim], Outcome]] = {
    "finished": turns.finished,
    "failed": turns.failed,
    "discarded": turns.discarded,
    "at once": turns.retried,
    "later": lambda claim: turns.retried(claim, 600),
    "postponed": turns.postponed,
    "interrupted": turns.interrupted,
}


class Machine(RuleBasedStateMachine):
    """Jobs, three processes that run them, and all that may happen to both."""

    def __init__(self) -> None:
        """Begin with an empty server: that of the tasks in this process."""
        super().__init__()
        self.store = store = current.store()
        store.link.command("FLUSHALL")
        self.model = Model()
        self.turns = [Turns(store, *queues) for queues in SERVED]
        self.claims: list[list[Claim]] = [[], [], []]
        self.late: list[Claim] = []  # of processes that died
        self.dead: list[str] = []  # processes that nobody has recovered yet
        self.made = 0

    @rule(
        queue=st.sampled_from(QUEUES),
        where=st.sampled_from(["back", "front", "past", "later"]),
        chosen=st.sampled_from(["", "", "", "one", "two", "three"]),
        parents=SOME,
        ttl=st.booleans(),
        result_ttl=st.sampled_from([500, 500, 0, -1]),
        once=st.booleans(),
    )
    def enqueue(  # noqa: PLR0913 - a job has so many sides
        self,
        queue: str,
        where: str,
        chosen: str,
        parents: list[int],
        result_ttl: int,
        *,
        ttl: bool,
        once: bool,
    ) -> None:
        self.made += 1
        job = Modelled(chosen or f"job-{self.made}", queue, ttl, result_ttl, once)
        job.at_front = where == "front"
        job.due = {"past": float(self.made), "later": LATER}.get(where, 0.0)
        waits = (
            sorted({self._job(n).id for n in parents} - {job.id})
            if self.model.jobs and not job.due
            else []
        )
        record = JobRecord(
            job.id,
            Invocation(turns.ADD, (1,)),
            queue,
            chosen=bool(chosen),
            at_front=job.at_front,
            due=job.due if where == "past" else None,
            delay=3600 if where == "later" else None,
            ttl=1000 if ttl else None,
            result_ttl=result_ttl,
            depends_on=tuple(waits),
            on_crash="fail" if once else "retry",
        )
        self.store.enqueue([record])
        self.model.enqueue(job, waits)

    @rule(
        who=st.integers(0, 2),
        free=st.integers(0, 4),
        ends=st.lists(st.tuples(NTH, ENDINGS), max_size=3),
        again=st.booleans(),
    )
    def turn(
        self, who: int, free: int, ends: list[tuple[int, str]], *, again: bool
    ) -> None:
        """Settle some of what a process has claimed, and claim more."""
        outcomes: list[Outcome] = []
        refused: list[tuple[str, str]] = []
        for n, ending in ends:
            if self.claims[who]:
                claim = _take(self.claims[who], n)
                outcomes.append(MAKE[ending](claim))
                refused += self._settle(claim, ending)
        expected = self.model.claim(SERVED[who], free)
        found = self.turns[who].take(free, *outcomes, again=again)
        assert self.turns[who].refused == refused
        assert [claim.job_id for claim in found] == expected
        for claim in found:
            self.model.jobs[claim.job_id].execution = claim.execution
        self.claims[who] += found

    @precondition(lambda self: self.late)
    @rule(n=NTH, ending=ENDINGS)
    def outcome_of_the_dead(self, n: int, ending: str) -> None:
        """Have an outcome arrive after its process has died."""
        claim = _take(self.late, n)
        refused = self._settle(claim, ending)
        assert Turns(self.store).settle(MAKE[ending](claim)) == refused

    def _settle(self, claim: Claim, ending: str) -> list[tuple[str, str]]:
        why = self.model.fence(claim.job_id, claim.execution)
        if why:
            return [(claim.job_id, why)]
        job = self.model.jobs[claim.job_id]
        if ending == "finished":
            key = f"{keys.job(job.id)}:dependents"
            ids = self.store.link.command("SMEMBERS", key)
            self.model.finished(job, [one.decode() for one in ids])
        elif ending == "failed":
            self.model.failed(job)
        elif ending == "discarded":
            self.model.discarded(job)
        elif ending in ("later", "postponed"):
            self.model.put_off(job)
        else:
            self.model.back(job, front=ending == "interrupted")
        return []

    @rule(who=st.integers(0, 2), count=st.integers(1, 3), again=st.booleans())
    def unclaim(self, who: int, count: int, *, again: bool) -> None:
        """Give back what a process claimed last."""
        given, self.claims[who] = self.claims[who][-count:], self.claims[who][:-count]
        held = [c for c in given if not self.model.fence(c.job_id, c.execution)]
        back = self.store.unclaim(given) if given else []
        assert sorted(back) == sorted(claim.job_id for claim in held)
        assert not (again and given and self.store.unclaim(given))
        for claim in reversed(held):
            self.model.back(self.model.jobs[claim.job_id])

    @rule(who=st.integers(0, 2), n=NTH)
    def begin(self, who: int, n: int) -> None:
        """Have a job begin that must not run twice."""
        claims = [c for c in self.claims[who] if c.on_crash == "fail"]
        if claims:
            claim = claims[n % len(claims)]
            may = not self.model.fence(claim.job_id, claim.execution)
            assert self.store.protect(claim) is may
            if may:
                self.model.jobs[claim.job_id].begun = claim.execution

    @rule(who=st.integers(0, 2))
    def die(self, who: int) -> None:
        """Have a process die: nothing changes until somebody recovers its jobs."""
        self.dead.append(self.turns[who].name)
        self.late += self.claims[who]
        self.claims[who] = []
        self.turns[who] = Turns(self.store, *SERVED[who])

    @precondition(lambda self: self.dead)
    @rule(n=NTH, how=HOW, again=st.booleans())
    def recover(self, n: int, how: str, *, again: bool) -> None:
        """Put back what a dead process held."""
        self._recover(_take(self.dead, n), how, again=again)

    @rule(who=st.integers(0, 2), how=HOW, again=st.booleans())
    def take_for_dead(self, who: int, how: str, *, again: bool) -> None:
        """Put back what a process holds that only stood still, and goes on."""
        self._recover(self.turns[who].name, how, again=again)

    def _recover(self, process: str, how: str, *, again: bool) -> None:
        held = [one for one in self.store.held(QUEUES) if one.process == process]
        found = [(one, how) for one in held]
        told = self._recovered(sorted(held, key=lambda one: -one.number), how)
        assert self.store.recover(found, worker="w", text="it died") == told
        if again and found:
            assert self.store.recover(found, worker="w", text="it died") == ([], [])

    def _recovered(self, held: list[Held], how: str) -> tuple[list[str], list[str]]:
        back: list[str] = []
        dead: list[str] = []
        for one in held:
            job = self.model.jobs[one.job_id]
            assert job.execution == one.execution
            (dead if self.model.recover(job, how) else back).append(job.id)
        return back, dead

    @precondition(lambda self: self.model.jobs)
    @rule(n=NTH)
    def cancel(self, n: int) -> None:
        job = self._job(n)
        assert self.store.cancel(job.id) is self.model.cancel(job.id)

    @rule()
    def promote(self) -> None:
        known = self.store.link.command("SMEMBERS", keys.QUEUES)
        queues = [key.decode().removeprefix("rq:queue:") for key in known]
        assert promote(self.store)[0] == self.model.promote(queues)

    @rule(n=NTH)
    def time_comes(self, n: int) -> None:
        """Have the instant come that a delayed job waits for."""
        waiting = [j for j in self.model.jobs.values() if j.status == "scheduled"]
        if waiting:
            job = waiting[n % len(waiting)]
            self.made += 1
            self.model.put_off(job, float(self.made))
            key = keys.registry("scheduled", job.queue)
            self.store.link.command("ZADD", key, self.made, job.id)

    @rule(n=NTH)
    def ttl_passes(self, n: int) -> None:
        """Have a job wait too long; not one that others wait for."""
        waiting = [
            job
            for job in self.model.jobs.values()
            if job.status in ("queued", "scheduled")
            and job.expires
            and not self.model.children[job.id]
        ]
        if waiting:
            job = waiting[n % len(waiting)]
            self.store.link.command("PEXPIREAT", keys.job(job.id), 1)
            self.model.lapse(job)

    @rule()
    def suspend_or_resume(self) -> None:
        self.model.suspended = not self.model.suspended
        change = (
            ("SET", keys.SUSPENDED, 1)
            if self.model.suspended
            else ("DEL", keys.SUSPENDED)
        )
        self.store.link.command(*change)

    @rule(queue=st.sampled_from(QUEUES))
    def pause_or_go_on(self, queue: str) -> None:
        self.model.paused ^= {queue}
        paused = queue in self.model.paused
        self.store.link.command("SADD" if paused else "SREM", keys.PAUSED, queue)

    @invariant()
    def each_job_is_where_it_should_be(self) -> None:
        assert on_server(self.store) == in_model(self.model)

    def teardown(self) -> None:
        """See that nothing would stay for ever."""
        assert leaks(self.store) == []

    def _others(self, nth: list[int], but: str) -> list[str]:
        found = {self._job(n).id for n in nth} if self.model.jobs else set[str]()
        return sorted(found - {but})

    def _job(self, n: int) -> Modelled:
        return list(self.model.jobs.values())[n % len(self.model.jobs)]


def _take(items: list[Any], n: int) -> Any:  # noqa: ANN401 - whatever is in it
    return items.pop(n % len(items))
