"""The server of a project, joined but never started; and who waits for its end."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import psutil
import pytest

from flow.errors import ServerUnreachable
from flow.store import embedded
from tests.support.projectserver import (
    User,
    get,
    guard_of,
    is_gone,
    is_used,
    put,
    suspend,
    wait_gone,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_none_is_joined_where_none_runs(state: Path) -> None:
    assert embedded.join(state) is None
    assert not state.exists()
    assert embedded.join(state / "deeper") is None
    with embedded.start(state) as server:
        pid = server.pid
    assert pid is not None
    wait_gone(pid)
    assert embedded.join(state) is None


def test_none_is_joined_after_a_kill_of_everything(
    user: Callable[..., User], state: Path
) -> None:
    only = user().ready()
    guard = guard_of(only.server)
    for pid in (guard.pid, only.server, only.process.pid):
        os.kill(pid, signal.SIGKILL)
    wait_gone(only.server)
    assert (state / "redis.sock").is_socket()
    assert embedded.join(state) is None


def test_one_who_joined_keeps_the_server(
    user: Callable[..., User], state: Path
) -> None:
    first = user().ready()
    server = embedded.join(state)
    assert server is not None
    with server:
        assert (server.pid, server.started) == (first.server, False)
        first.kill()
        assert is_used(state)
        put(server.url, "key", "value")
        assert get(server.url, "key") == "value"
    wait_gone(first.server)


def test_a_silent_server_is_reported_and_never_doubled(
    user: Callable[..., User], state: Path
) -> None:
    only = user().ready()
    process = psutil.Process(only.server)
    suspend(process)
    try:
        with pytest.raises(ServerUnreachable, match=r"has not answered for 0\.2 s"):
            embedded.start(state, timeout=0.2)
    finally:
        process.resume()
    with embedded.start(state) as server:
        assert server.pid == only.server


def test_the_end_of_a_server_can_be_waited_for(
    user: Callable[..., User], state: Path
) -> None:
    only = user().ready()
    server = embedded.join(state)
    assert server is not None
    with server:
        os.kill(only.server, signal.SIGKILL)
        server.wait()
        assert embedded.join(state) is None


def test_the_last_who_leaves_waits_for_the_end_and_others_do_not(
    user: Callable[..., User], state: Path
) -> None:
    last, other = embedded.start(state), user().ready()
    guard = guard_of(last.pid)
    last.leave()
    assert not is_gone(other.server)
    again = embedded.join(state)
    assert again is not None
    other.kill()
    again.leave()
    assert is_gone(other.server)
    assert is_gone(guard.pid)


def test_one_who_leaves_a_guard_that_is_stopped_waits_for_so_long_only(
    state: Path,
) -> None:
    server = embedded.start(state)
    guard = guard_of(server.pid)
    suspend(guard)
    try:
        server.leave(timeout=0.1)
        assert not is_gone(guard.pid)
    finally:
        guard.resume()
