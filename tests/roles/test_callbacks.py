"""Callbacks: who is told of a stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flow import keys
from flow.workers import callbacks
from tests.support.apps import RQ, Untyped
from tests.support.turns import Turns

if TYPE_CHECKING:
    from flow.store.client import Store


@pytest.mark.parametrize(
    ("status", "held", "told"),
    [
        ("canceled", True, 0),
        ("finished", True, 0),
        ("started", True, 1),
        ("started", False, 0),  # it was lost, and runs elsewhere
    ],
)
def test_only_a_job_that_was_stopped_has_its_callback_run(
    store: Store, client: Untyped, *, status: str, held: bool, told: int
) -> None:
    hears = RQ.Callback("tests.support.shop.callbacks.stopped")
    queue = RQ.Queue(connection=client)
    job = queue.enqueue("tests.support.shop.plain.wait", on_stopped=hears)
    claim = Turns(store).one()
    # A process ends what runs also when it was canceled, or runs elsewhere meanwhile.
    store.link.command("HSET", keys.job(job.id), "status", status)
    if not held:
        client.delete(keys.wip("default"))
    callbacks.stopped(claim)
    assert client.llen(f"told:{job.id}") == told
    client.delete(f"told:{job.id}", keys.wip("default"))
    job.delete()
