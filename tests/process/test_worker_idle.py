"""A worker that has nothing to do asks little; a paused queue rests."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from flow.store import queues
from tests.support import hazards
from tests.support.faults import ROOT
from tests.support.leaks import queued
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    import redis

    from flow.store.client import Store
    from tests.support.faults import Yard

Untyped = Any  # redis-py leaves its monitor untyped


def sent(client: Untyped, beats: int) -> list[str]:
    """Return what a fleet sends during so many beats of its worker, one each 3 s."""
    seen: list[str] = []
    with client.monitor() as monitor:
        # What a start asks, once, is over with the second beat.
        left = beats + 2
        while left > 0:
            told = monitor.next_command()
            if told["client_type"] != "lua" and left <= beats:
                seen.append(told["command"])
            left -= bool(re.match("EVALSHA .* last_heartbeat ", told["command"]))
    return seen


def test_an_idle_worker_sends_two_commands_a_second_at_most(
    yard: Yard, client: redis.Redis
) -> None:
    job = hazards.echo.enqueue(1)
    with yard.worker(processes=2):
        assert job.result(60) == 1
        seen = sent(client, beats=3)
    # Three beats are nine seconds; a few more where the janitor's turn is among them.
    assert 3 <= len(seen) <= 2 * 9 + 6, seen


def test_a_paused_queue_rests_until_it_is_resumed(yard: Yard, store: Store) -> None:
    with yard.worker():
        assert hazards.echo.enqueue(1).result(60) == 1
        assert flow(yard, "pause", "default") == "default is paused\n"
        held = hazards.echo.enqueue(2)
        (told,) = [
            one for one in json.loads(flow(yard, "--json")) if one["name"] == "default"
        ]
        assert (told["waiting"], told["paused"]) == (1, True)
        assert len(told["served_by"]) == 1
        assert "default (paused)" in flow(yard)
        assert queued(store) == [held.id]
        assert flow(yard, "resume", "default") == "default goes on\n"
        assert held.result(60) == 2


def test_a_burst_leaves_a_paused_queue_alone_and_ends(yard: Yard, store: Store) -> None:
    held = hazards.echo.enqueue(1)
    queues.pause(store, "default")
    yard.burst()
    assert queued(store) == [held.id]
    queues.resume(store, "default")
    yard.burst()
    wait_until(lambda: held.status == "finished", waiting_for="the job")


def flow(yard: Yard, *words: str) -> str:
    command = [sys.executable, "-m", "flow", "queues", *words, "--redis-url", yard.url]
    ended = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
