"""The server of a project, when it, its guard or its files come to harm."""

from __future__ import annotations

import os
import shutil
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
import pytest

from flow.errors import ServerNotStarted
from flow.store import embedded
from flow.store.embedded import locks
from tests.support.projectserver import (
    TIMEOUT,
    User,
    get,
    guard_of,
    is_gone,
    put,
    redis,
    suspend,
    wait_gone,
)
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_a_killed_guard_takes_the_server_with_it_and_the_next_start_has_the_data(
    user: Callable[..., User], state: Path
) -> None:
    first = user().ready()
    put(first.url, "key", "value")
    guard_of(first.server).kill()
    wait_until(
        lambda: not locks.is_held(state / "guard.lock"),
        timeout=TIMEOUT,
        waiting_for="the guard to have ended",
    )
    # The first server still answers, for a moment; nobody may join it any more.
    with embedded.start(state) as next_one:
        assert next_one.started
        wait_gone(first.server)
        assert get(next_one.url, "key") == "value"
        # The first is still a user, of the new one.
        assert get(first.url, "key") == "value"
        server = next_one.pid
    assert server is not None
    with embedded.start(state) as again:
        assert again.pid == server
    first.leave()
    wait_gone(server)


def test_a_killed_server_is_started_anew_with_its_data(
    user: Callable[..., User], state: Path
) -> None:
    first = user().ready()
    guard = guard_of(first.server)
    put(first.url, "key", "value")
    os.kill(first.server, signal.SIGKILL)
    with embedded.start(state) as next_one:
        assert next_one.started
        assert get(next_one.url, "key") == "value"
    wait_gone(guard.pid, "the guard of the killed server")


def test_data_survives_a_kill_of_everything_at_once(
    user: Callable[..., User], state: Path
) -> None:
    only = user().ready()
    for number in range(1000):
        put(only.url, f"key:{number}", str(number))
    guard = guard_of(only.server).pid
    for pid in (guard, only.server, only.process.pid):
        os.kill(pid, signal.SIGKILL)
    with embedded.start(state) as again, redis(again.url) as client:
        assert again.started
        assert client.dbsize() == 1000


def test_a_stopped_guard_lets_others_join_and_ends_the_server_once_it_wakes(
    user: Callable[..., User],
) -> None:
    first = user().ready()
    guard = guard_of(first.server)
    suspend(guard)
    try:
        first.kill()
        second = user().ready()
        assert second.server == first.server
        second.kill()
        assert not is_gone(first.server)
    finally:
        guard.resume()
    wait_gone(first.server)


def test_a_stopped_guard_of_a_killed_server_is_in_nobodys_way(
    user: Callable[..., User], state: Path
) -> None:
    first = user().ready()
    guard = guard_of(first.server)
    suspend(guard)
    try:
        os.kill(first.server, signal.SIGKILL)
        with embedded.start(state) as second:
            assert second.started
            assert second.pid != first.server
            guard.resume()
            wait_gone(guard.pid, "the first guard")
            with redis(second.url) as client:
                assert client.ping()
    finally:
        with suppress(psutil.NoSuchProcess):
            guard.resume()


def test_a_guard_that_is_told_to_stop_stops_the_server(
    user: Callable[..., User],
) -> None:
    only = user().ready()
    guard_of(only.server).terminate()
    wait_gone(only.server)


def test_the_starter_has_no_zombie_when_the_guard_is_killed(state: Path) -> None:
    with embedded.start(state) as server:
        guard = guard_of(server.pid)
        guard.kill()
        wait_gone(guard.pid, "the guard")
        children = psutil.Process().children()
        assert guard.pid not in {child.pid for child in children}


def test_a_folder_deleted_under_its_server_does_no_harm_to_the_next(
    user: Callable[..., User], state: Path
) -> None:
    first = user().ready()
    shutil.rmtree(state)
    with embedded.start(state) as second:
        first.kill()
        wait_gone(first.server)
        # Had the first removed its socket, it would have been this one's.
        assert second.socket.is_socket()
        assert get(second.url, "key") is None


def log_of_a_server_that_ended(state: Path) -> Path:
    """Return the append-only file of a server that held one key."""
    with embedded.start(state) as server:
        put(server.url, "key", "value")
        pid = server.pid
    assert pid is not None
    wait_gone(pid)
    [file] = (state / "redis").rglob("*.incr.aof")
    return file


def test_a_damaged_file_is_reported_in_the_servers_words(state: Path) -> None:
    file = log_of_a_server_that_ended(state)
    file.write_bytes(b"garbage\r\n" + file.read_bytes())
    with pytest.raises(ServerNotStarted, match="Bad file format") as caught:
        embedded.start(state)
    assert "\n" not in str(caught.value)
    assert str(state / "redis.log") in str(caught.value)
    assert file.read_bytes().startswith(b"garbage")


def test_a_torn_last_command_is_dropped_and_the_rest_kept(state: Path) -> None:
    file = log_of_a_server_that_ended(state)
    file.write_bytes(file.read_bytes() + b"*3\r\n$3\r\nSET\r\n$3\r\nke")
    with embedded.start(state) as server:
        assert get(server.url, "key") == "value"
