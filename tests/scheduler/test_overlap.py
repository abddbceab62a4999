"""While the job of the tick before has not ended: what becomes of the next tick."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flow.job import Job
from flow.record import Status
from flow.store.entry import Rule
from tests.support import workers
from tests.support.turns import Turns, discarded
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from flow.store.schedules import Note
    from tests.scheduler.turning import Turning

SECOND = Rule("every", "1")
SHOP = """\
from flow import task


@task
def beat(word: str) -> str:
    return word
"""


def tick(clock: Turning) -> Note:
    """Have the next tick come, and return what became of it."""
    before = len(clock.ledger())

    def come() -> Note | None:
        clock.turn()
        notes = clock.ledger()[before:]
        return notes[-1] if notes else None

    note = wait_until(come, waiting_for="a tick")
    assert note
    return note


def test_by_default_jobs_overlap(clock: Turning) -> None:
    clock.declare(rule=SECOND)
    notes = [tick(clock), tick(clock)]
    assert clock.queued() == [note.job for note in notes]


def test_skip_leaves_out_a_tick_whose_job_would_overlap(clock: Turning) -> None:
    clock.declare(rule=SECOND, overlap="skip")
    first = tick(clock)
    assert tick(clock).reason == "overlap"
    clock.status(first.job, "started")
    assert tick(clock).reason == "overlap"
    clock.status(first.job, "failed")
    assert tick(clock).outcome == "fired"


def test_queue_one_lets_one_wait_for_the_end_of_the_one_that_runs(
    clock: Turning, tmp_path: Path
) -> None:
    (tmp_path / "shop.py").write_text(SHOP)
    clock.declare(rule=SECOND, overlap="queue_one")
    first = tick(clock)
    assert tick(clock).reason == "overlap"
    clock.status(first.job, "started")
    second = tick(clock)
    assert Job[str](second.job).status is Status.DEFERRED
    assert tick(clock).reason == "overlap"
    # The one that runs goes back, as after a crash, and ends.
    clock.status(first.job, "queued")
    clock.store.link.command("RPUSH", "rq:queue:default", first.job)
    workers.burst(clock.store.link.address.url, "shop", tmp_path)
    assert Job[str](first.job).result() == "x"
    assert Job[str](second.job).result() == "x"


def test_queue_one_does_not_wait_for_a_job_that_has_discarded_itself(
    clock: Turning,
) -> None:
    clock.declare(rule=SECOND, overlap="queue_one")
    first = tick(clock)
    turns = Turns(clock.store)
    claim = turns.one()
    second = tick(clock)
    assert Job[str](second.job).status is Status.DEFERRED
    turns.settle(discarded(claim))
    assert Job[str](first.job).status is Status.CANCELED
    assert Job[str](second.job).status is Status.QUEUED


def test_queue_one_starts_what_waits_for_a_job_that_is_gone(clock: Turning) -> None:
    clock.declare(rule=SECOND, overlap="queue_one")
    first = tick(clock)
    clock.status(first.job, "started")
    second = tick(clock)
    clock.store.link.command("DEL", f"rq:job:{first.job}")
    assert tick(clock).reason == "overlap"
    assert clock.queued() == [second.job]
    assert Job[str](second.job).status is Status.QUEUED


def test_cancel_previous_cancels_what_waits(clock: Turning) -> None:
    clock.declare(rule=SECOND, overlap="cancel_previous")
    first = tick(clock)
    second = tick(clock)
    assert Job[str](first.job).status is Status.CANCELED
    assert clock.queued() == [second.job]


def test_cancel_previous_has_the_worker_stop_what_runs(clock: Turning) -> None:
    clock.declare(rule=SECOND, overlap="cancel_previous")
    first = tick(clock)
    clock.status(first.job, "started")
    command = clock.store.link.command
    command("HSET", f"rq:job:{first.job}", "worker_name", "me")
    client: Any = clock.store.link.redis
    with client.pubsub() as pubsub:
        pubsub.subscribe("rq:pubsub:me")
        pubsub.get_message(timeout=5)
        tick(clock)
        told: Any = wait_until(
            lambda: pubsub.get_message(timeout=1), waiting_for="a word"
        )
    assert json.loads(told["data"]) == {"command": "stop-job", "job_id": first.job}
    assert Job[str](first.job).status is Status.CANCELED
