"""Peek: whether a coroutine is next is seen without a claim."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flow import keys
from flow.workers.peek import EVERY, Peek
from tests.support import hazards
from tests.support.clock import Clock
from tests.support.leaks import queued, snapshot
from tests.support.shop import plain
from tests.support.turns import Turns, finished, record

if TYPE_CHECKING:
    import pytest

    from flow.store.client import Store

Untyped = Any  # redis-py is typed in part


def test_only_a_coroutine_at_the_head_is_found_and_nothing_changes(
    store: Store, client: Untyped
) -> None:
    clock = Clock()
    peek = Peek(store, ["urgent", "default"], clock)
    assert not peek.finds_async()  # nothing waits
    first, second = hazards.aecho.enqueue(1), hazards.echo.enqueue(2)
    before = snapshot(store)
    assert not peek.finds_async()  # it looked just now
    clock.now += EVERY
    assert peek.finds_async()
    assert snapshot(store) == before
    clock.now += EVERY
    client.sadd(keys.PAUSED, "default")
    assert not peek.finds_async()
    client.delete(keys.PAUSED)
    clock.now += EVERY
    client.lpop(keys.queue("default"))
    client.delete(keys.job(first.id))
    assert not peek.finds_async()  # the plain one is next
    assert queued(store) == [second.id]
    clock.now += EVERY
    client.rpush(keys.queue("urgent"), "gone")
    assert not peek.finds_async()
    client.delete(keys.queue("urgent"))
    turns = Turns(store)
    assert turns.settle(finished(turns.one())) == []


def test_an_app_without_coroutines_never_looks(
    store: Store, client: Untyped, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flow.workers.peek.TASKS", [])
    store.enqueue([record("default", f"{plain.__name__}.add")])
    client.config_resetstat()
    assert not Peek(store, ["default"]).finds_async()
    assert "cmdstat_evalsha" not in client.info("commandstats")
    turns = Turns(store)
    assert turns.settle(finished(turns.one())) == []
