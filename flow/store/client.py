"""The store: one typed method per script, and the reads that the engine needs."""

from __future__ import annotations

import contextlib
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from redis.exceptions import ResponseError

from flow import codec, keys
from flow.errors import InvalidCall
from flow.record import FAILURE_TTL, Batch, Claim, Invocation, JobRecord, Status
from flow.store.batches import CHUNK, ordinary_call, script_calls
from flow.store.link import READ_TIMEOUT, Link
from flow.store.scripts import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from flow.store.address import Address
    from flow.store.link import Patience

BEGIN = "0"  # where a walk through all queues begins, and what its end is called
DAY = 86_400  # seconds
AFTERMATH = "flow.workers.aftermath.tell"


@dataclass(frozen=True, slots=True)
class Exchange:
    """What one turn of a process asks.

    Args:
        process: twelve characters that name the process.
        turn: counts the turns of the process; a repeated number is a repeated turn.
        first: the number of the next execution.
        free: how many jobs it can take.
        worker: the worker's name.
        queues: where from, the first first.
        outcomes: what ended since the last turn, each as ``codec.pack_outcome`` has it.
    """

    process: str
    turn: int
    first: int
    free: int
    worker: str
    queues: Sequence[str]
    outcomes: Sequence[Sequence[codec.Field]] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """An execution that a process holds, as the started registry has it."""

    queue: str
    job_id: str
    execution: str

    @classmethod
    def of(cls, queue: str, member: bytes) -> Held | None:
        """Return what a member of the started registry says; None: it is RQ's."""
        job_id, _, execution = member.decode("utf-8", "replace").rpartition(":")
        process, _, number = execution.rpartition("-")
        # RQ's own execution ids have no dash.
        ours = process and number.isdigit()
        return cls(queue, job_id, execution) if ours else None

    @property
    def process(self) -> str:
        """The process that claimed it."""
        return self.execution.rpartition("-")[0]

    @property
    def number(self) -> int:
        """Which of the process's executions it is."""
        return int(self.execution.rpartition("-")[2])


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody wrote into a worker's hash for it to obey.

    Args:
        stop: RQ's wish that it shut down.
        order: ``quiet`` or ``resume`` and a word that makes it unique; empty for none.
    """

    stop: bool
    order: str


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker as ``rq info`` and flow's own commands see it.

    Args:
        name: unique in the fleet.
        queues: what it serves.
        processes: the processes that take jobs for it.
        fields: its hash, in RQ's names.
        done: jobs that ended well since the start.
        failed: jobs that did not.
        worked: seconds of work since the start.
    """

    name: str
    queues: Sequence[str]
    processes: Sequence[str]
    fields: dict[str, str]
    done: int = 0
    failed: int = 0
    worked: float = 0.0


class Store:
    """The jobs in one Redis.

    Args:
        address: the server.
        patience: what to do while it is away; by default one more try, at once.
        timeout: seconds to wait for an answer.
        now: the wall clock, unix seconds.
    """

    def __init__(
        self,
        address: Address,
        patience: Patience | None = None,
        timeout: float = READ_TIMEOUT,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Prepare; nothing is connected yet."""
        self.link = Link(address, patience, timeout)
        self._now = now

    def enqueue(self, jobs: Sequence[JobRecord]) -> None:
        """Write jobs and put them where they belong; repeated, it changes nothing.

        Raises:
            InvalidCall: an argument cannot be pickled, and nothing was enqueued; or a
                parent does not exist, and those that wait for it were not.
        """
        self.enqueue_batches([Batch.of(job) for job in jobs])

    def enqueue_batches(self, batches: Sequence[Batch]) -> None:
        """As ``enqueue``, for jobs that are alike.

        Raises:
            InvalidCall: as ``enqueue``.
        """
        now = self._now()
        ordinary = ordinary_call(batches, now)
        if ordinary is not None:
            self.link.run(load("enqueue_one"), [], ordinary)
            return
        token = secrets.token_hex(8)
        for number, call in enumerate(script_calls(batches, now)):
            # Each call has a token of its own: a repeat is told by it.
            mine = f"{token}-{number}"
            answers = self.link.run(load("enqueue"), [], [mine, *call])
            missing = [a for a in answers if isinstance(a, bytes)]
            if missing:
                raise InvalidCall(
                    f"there is no job {missing[0].decode()!r} to depend on; "
                    "it never was, or its result has expired"
                )

    def exchange(self, ask: Exchange) -> tuple[list[tuple[str, str]], list[Claim]]:
        """Settle what ended and claim what comes next, in one round trip.

        Returns:
            What was refused, as (job, why), and the claims, in the order to run them.
        """
        arguments: list[Any] = [
            ask.process,
            ask.turn,
            ask.first,
            ask.free,
            ask.worker,
            codec.iso(self._now()),
            len(ask.queues),
            *ask.queues,
            *codec.outcomes(ask.outcomes),
        ]
        refused, claims = self.link.run(
            load("exchange"), [keys.turn(ask.process)], arguments
        )
        words = [word.decode() for word in refused]
        return (
            list(zip(words[::2], words[1::2], strict=True)),
            [
                self._complete(claims[at : at + codec.CLAIM])
                for at in range(0, len(claims), codec.CLAIM)
            ],
        )

    def _complete(self, raw: list[Any]) -> Claim:
        inline = raw[3]
        if not inline:
            # Large: fetched outside the script, which would block all others.
            job = keys.job(raw[1].decode())
            raw[codec.DATA] = self.link.command("HGET", job, "data")
        return codec.claim(raw)

    def unclaim(self, claims: Sequence[Claim]) -> list[str]:
        """Put claims that never started back to the head, in their old order."""
        arguments = [codec.iso(self._now())]
        for claim in reversed(claims):
            arguments += [claim.queue, claim.job_id, claim.execution]
        back = self.link.run(load("unclaim"), [], arguments)
        return [job_id.decode() for job_id in back]

    def recover(
        self,
        held: Sequence[tuple[Held, str]],
        *,
        worker: str,
        text: str,
        crashes: int = 3,
    ) -> tuple[list[str], list[str]]:
        """Put what a dead process held back, or among the dead letters.

        Args:
            held: each execution with what it was: claimed, stopped or crashed.
            worker: the worker that ran it.
            text: the failure, for those that are dead letters now.
            crashes: how many a job may cause.

        Returns:
            The ids put back, and the ids that are dead letters.
        """
        back: list[str] = []
        dead: list[str] = []
        newest = sorted(held, key=lambda one: one[0].number, reverse=True)
        for start in range(0, len(newest), CHUNK):
            now = self._now()
            arguments: list[Any] = [codec.iso(now), now, crashes, FAILURE_TTL, worker]
            arguments.append(codec.pack_failure(text))
            for one, how in newest[start : start + CHUNK]:
                call = Invocation(AFTERMATH, (one.job_id, text))
                arguments += [one.queue, one.job_id, one.execution, how]
                arguments.append(codec.pack_invocation(call))
            put_back, ended = self.link.run(load("recover"), [], arguments)
            back += [job_id.decode() for job_id in put_back]
            dead += [job_id.decode() for job_id in ended]
        return back, dead

    def beat(self, worker: Worker, lifetime: int) -> Told:
        """Show that a worker and its processes live.

        Args:
            worker: who.
            lifetime: seconds that RQ's readers see it without a further beat.

        Returns:
            What it is asked to do.
        """
        arguments: list[Any] = [worker.name, lifetime]
        arguments += [worker.done, worker.failed, f"{worker.worked:.6f}"]
        arguments += [len(worker.processes), *worker.processes]
        arguments += [len(worker.queues), *worker.queues]
        for name, value in worker.fields.items():
            arguments += [name, value]
        shutdown, order = self.link.run(load("beat"), [keys.BEATS], arguments)
        return Told(bool(shutdown), (order or b"").decode("utf-8", "replace"))

    def leave(
        self, processes: Sequence[str], worker: str = "", queues: Sequence[str] = ()
    ) -> None:
        """Forget processes that hold nothing, and their worker if it is named."""
        arguments = [worker, len(queues), *queues, *processes]
        self.link.run(load("leave"), [keys.BEATS], arguments)

    def cancel(self, job_id: str) -> bool | None:
        """Cancel a job that has not started.

        Returns:
            True when it was; False when it runs or has ended; None: there is none.
        """
        iso = codec.iso(self._now())
        answer = self.link.run(load("cancel"), [], [job_id, iso])
        return None if answer < 0 else bool(answer)

    def protect(self, claim: Claim) -> bool:
        """Note that a job which must not run twice starts now.

        Returns:
            Whether it may: not when it was canceled, deleted or lost meanwhile.
        """
        arguments = [claim.queue, claim.job_id, claim.execution]
        return bool(self.link.run(load("protect"), [], arguments))

    def pulse(self, host: str, role: str, *, ended: bool = False) -> None:
        """Show that a role of a host lives, or that it has ended."""
        beat = "" if ended else self._now()
        self.link.run(load("pulse"), [keys.host(host)], [role, beat, DAY])

    def status(self, job_id: str) -> Status | None:
        """Return where a job is; None when there is no such job."""
        raw = self.link.command("HGET", keys.job(job_id), "status")
        return Status(raw.decode()) if raw else None

    def queues(self) -> list[str]:
        """Return the names of all queues that anybody used, sorted."""
        prefix = keys.queue("")
        named = _texts(self.link.command("SMEMBERS", keys.QUEUES))
        return sorted(key.removeprefix(prefix) for key in named)

    def paused(self) -> set[str]:
        """Return the names of the queues from which nothing is claimed."""
        return set(_texts(self.link.command("SMEMBERS", keys.PAUSED)))

    def held(self, queues: Sequence[str]) -> list[Held]:
        """Return all that flow's processes hold of these queues."""
        found: list[Held] = []
        for queue in queues:
            # A key that others spoilt must not keep the other queues' jobs.
            with contextlib.suppress(ResponseError):
                members = self.link.command("ZRANGE", keys.wip(queue), 0, -1)
                found += filter(None, (Held.of(queue, one) for one in members))
        return found


def _texts(names: Iterable[bytes]) -> list[str]:
    # One that is no text is nobody's, and must not keep the others from being found.
    return [name.decode("utf-8", "replace") for name in names]
