"""Callbacks: who is told of a stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flow import keys
from flow.workers import callbacks
from tests.support.apps import RQ, Untyped

if TYPE_CHECKING:
    from flow.store.client import Store


@pytest.mark.parametrize(
    ("status", "told"), [("canceled", 0), ("finished", 0), ("started", 1)]
)
def test_only_a_job_that_was_stopped_has_its_callback_run(
    store: Store, client: Untyped, status: str, told: int
) -> None:
    hears = RQ.Callback("tests.support.shop.callbacks.stopped")
    queue = RQ.Queue(connection=client)
    job = queue.enqueue("tests.support.shop.plain.wait", on_stopped=hears)
    # A process ends what runs also when it was canceled, or runs elsewhere meanwhile.
    store.link.command("HSET", keys.job(job.id), "status", status)
    callbacks.stopped(job.id)
    assert client.llen(f"told:{job.id}") == told
    client.delete(f"told:{job.id}")
    job.delete()
