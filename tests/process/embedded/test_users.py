"""The server of a project lives as long as its users do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil

from flow.store import embedded
from tests.support.projectserver import (
    ROOT,
    TIMEOUT,
    User,
    get,
    guard_of,
    is_used,
    put,
    redis,
    wait_gone,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Starts a server, and ends while a forked child goes on.
FORKING = """
import os
import signal
import sys
from pathlib import Path
from flow.store import embedded
server = embedded.start(Path(sys.argv[1]))
child = os.fork()
if child:
    os.write(1, f"{server.pid} {child}".encode())
else:
    os.close(1)
    signal.pause()
"""


def test_one_starts_it_and_redis_py_reads_its_address(state: Path) -> None:
    with embedded.start(state) as server:
        put(server.url, "key", "value")
        assert get(server.url, "key") == "value"
        assert server.started
        assert server.state == state
        assert server.url == f"unix://{server.socket}"


def test_ten_starters_at_once_share_one_server(
    user: Callable[..., User],
) -> None:
    users = [user() for _ in range(10)]
    for each in users:
        each.ready()
    assert len({each.server for each in users}) == 1
    assert [each.started for each in users].count(True) == 1


def test_the_server_goes_when_its_only_user_leaves(user: Callable[..., User]) -> None:
    only = user().ready()
    guard = guard_of(only.server)
    only.leave()
    wait_gone(only.server)
    wait_gone(guard.pid, "the guard")


def test_the_server_goes_when_its_only_user_is_killed(
    user: Callable[..., User],
) -> None:
    only = user().ready()
    only.kill()
    wait_gone(only.server)


def test_the_server_stays_while_one_of_two_users_does(
    user: Callable[..., User], state: Path
) -> None:
    first = user().ready()
    second = user().ready()
    put(second.url, "key", "value")
    first.kill()
    assert is_used(state)
    with embedded.start(state) as third:
        assert third.pid == second.server
        assert get(third.url, "key") == "value"
    second.kill()
    wait_gone(second.server)


def test_a_forked_child_is_a_user_too(state: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKING, str(state)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        stdout=subprocess.PIPE,
        timeout=TIMEOUT,
    )
    pid, child = map(int, done.stdout.split())
    try:
        assert is_used(state)
        with embedded.start(state) as again:
            assert again.pid == pid
    finally:
        os.kill(child, signal.SIGKILL)
    wait_gone(pid)


def test_a_started_program_is_no_user(state: Path) -> None:
    server = embedded.start(state)
    assert server.pid is not None
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False) as program:
        server.close()
        wait_gone(server.pid)
        assert program.poll() is None
        program.communicate()


def test_ctrl_c_in_the_terminal_does_not_reach_the_server(state: Path) -> None:
    with embedded.start(state) as server:
        assert server.pid is not None
        guard = guard_of(server.pid).pid
        assert {os.getsid(guard), os.getsid(server.pid)}.isdisjoint({os.getsid(0)})
        assert {os.getpgid(guard), os.getpgid(server.pid)}.isdisjoint({os.getpgrp()})


def test_the_guard_and_the_server_hold_none_of_their_starters_files(
    state: Path, tmp_path: Path
) -> None:
    with (tmp_path / "secret").open("w") as secret:
        os.set_inheritable(secret.fileno(), True)  # noqa: FBT003 - takes no keyword
        with embedded.start(state) as server:
            assert server.pid is not None
            program = opened(psutil.Process(server.pid))
            guard = opened(guard_of(server.pid))
    assert secret.name not in program | guard
    # The locks of the two must not outlive them in one another.
    assert {path for path in program if path.endswith(".lock")} == {
        f"{state}/server.lock"
    }
    assert {path for path in guard if path.endswith(".lock")} == {
        f"{state}/guard.lock",
        f"{state}/users.lock",
    }


def opened(process: psutil.Process) -> set[str]:
    return {file.path for file in process.open_files()}


def test_starters_without_stdin_stdout_and_stderr_share_one_server(
    user: Callable[..., User],
) -> None:
    closed = ("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh")
    first, second = user(*closed).ready(), user(*closed).ready()
    assert first.server == second.server
    first.kill()
    second.kill()
    wait_gone(first.server)


def test_newcomers_while_the_server_is_going_find_one_that_stays(state: Path) -> None:
    for number in range(30):
        with embedded.start(state) as server, redis(server.url) as client:
            assert client.incr("turns") == number + 1
            # Answers for as long as this user stays, not just at once.
            assert client.config_get("appendonly") == {"appendonly": "yes"}


def test_newcomers_while_users_come_and_go_are_never_refused(
    user: Callable[..., User], state: Path
) -> None:
    for _ in range(5):
        going = [user() for _ in range(3)]
        for each in going:
            each.ready()
        for each in going:
            each.process.kill()
        with embedded.start(state) as server, redis(server.url) as client:
            client.incr("turns")
            server_pid = server.pid
            for each in going:
                each.process.wait(TIMEOUT)
            assert client.info("server")["process_id"] == server_pid
    with embedded.start(state) as server:
        assert get(server.url, "turns") == "5"
