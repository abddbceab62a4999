"""flow ps, ps:scale, ps:restart, ps:stop, run --detach, stop, start --daemon."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import psutil
import pytest

from flow.errors import SessionError
from flow.runner.control import listing
from flow.runner.control.client import Client
from flow.runner.session.state import State
from tests.runner.asking import dynos, flow, wait_for_dyno
from tests.runner.started import Started, Terminal
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

SLEEP = "sleep $NAP"
PROCFILE = f"web: echo on $PORT; {SLEEP}\nworker: echo up; {SLEEP}\n"


@pytest.fixture
def running(tmp_path: Path, free_port: int) -> Iterator[Started]:
    (tmp_path / "Procfile").write_text(PROCFILE)
    with Started(tmp_path, "start", "-p", str(free_port), "--grace", "5") as started:
        started.wait_for(b"worker.1 | up")
        yield started


def test_ps_shows_what_runs(tmp_path: Path, running: Started, free_port: int) -> None:
    running.wait_for(f"web.1    | on {free_port}".encode())
    first, second, *_ = flow(tmp_path, "ps").splitlines()
    assert first == f"=== web: echo on $PORT; {SLEEP}"
    assert second.startswith("web.1: up 20")
    assert f"s ago), port {free_port}, " in second
    assert flow(tmp_path, "ps", "worker").startswith("=== worker: ")
    assert flow(tmp_path, "ps", "web.1").startswith("=== web: ")
    assert "no process 'wrk' runs here" in flow(tmp_path, "ps", "wrk", code=2)
    one = dynos(tmp_path)["web.1"]
    assert psutil.Process(one["pid"]).is_running()
    assert one["memory"] > 0


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-1, "0s"), (59, "59s"), (300, "5m"), (7200, "2h"), (2 * 86400, "2d")],
)
def test_ago_is_said_as_heroku_does(seconds: float, said: str) -> None:
    assert listing.ago(seconds) == f"(~ {said} ago)"


def test_scaling_up_and_down_and_the_formation_fed_back(
    tmp_path: Path, running: Started, free_port: int
) -> None:
    answer = flow(tmp_path, "ps:scale", "web=3", "worker+1")
    assert answer == "Scaling dynos... done, now running web at 3, worker at 2\n"
    running.wait_for(f"web.3    | on {free_port + 2}".encode())
    formation = flow(tmp_path, "ps", "scale")
    assert formation == "web=3 worker=2\n"
    flow(tmp_path, "ps:scale", "web=1", "worker-5")
    wait_until(lambda: set(dynos(tmp_path)) == {"web.1"}, waiting_for="one web only")
    flow(tmp_path, "ps:scale", *formation.split())
    wait_until(lambda: len(dynos(tmp_path)) == 5, waiting_for="all of them again")


def test_a_second_clock_is_a_warning_only(tmp_path: Path, free_port: int) -> None:
    (tmp_path / "Procfile").write_text(f"clock: echo up; {SLEEP}\n")
    with Started(tmp_path, "start", "-p", str(free_port)) as started:
        started.wait_for(b"clock.1 | up")
        said = flow(tmp_path, "ps:scale", "clock+1")
        assert "now running clock at 2\nflow: 2 clocks: safe" in said
        started.wait_for(b"clock.2 | up")
        assert b"2 clocks: safe" in started.output


def test_a_scaled_session_starts_as_it_was_left(tmp_path: Path, free_port: int) -> None:
    start = ("start", "-p", str(free_port))
    (tmp_path / "Procfile").write_text(PROCFILE)
    with Started(tmp_path, *start) as started:
        started.wait_for(b"worker.1 | up")
        flow(tmp_path, "ps:scale", "worker=0", "web=2")
        flow(tmp_path, "stop")
        assert started.end() == 0
    with Started(tmp_path, *start) as started:
        started.wait_for(f"web.2 | on {free_port + 1}".encode())
        assert b"as flow ps:scale left it: worker=0 web=2" in started.output
        assert set(dynos(tmp_path)) == {"web.1", "web.2"}
    with Started(tmp_path, *start, "-c", "all=1") as started:
        started.wait_for(b"worker.1 | up")
        assert set(dynos(tmp_path)) == {"web.1", "worker.1"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("ps:scale", "wrk=1"), "has no process 'wrk'; it has: web, worker"),
        (("ps:scale", "web"), "not of the form web=2, worker+1 or worker-1"),
        (("ps:scale", "web=2:large"), "dynos have no sizes here; write web=2"),
        (("ps:scale", "web=2", "release=1"), "release is no process"),
        (("ps:restart", "wrk"), "no process 'wrk' runs here; there are: web.1"),
        (("ps:stop", "web.9"), "no process 'web.9' runs here"),
        (("attach", "web.1"), "web.1 has no terminal; start with flow start --pty web"),
    ],
)
def test_what_cannot_be_is_one_line_and_changes_nothing(
    tmp_path: Path, running: Started, arguments: tuple[str, ...], message: str
) -> None:
    said = flow(tmp_path, *arguments, code=2)
    assert message in said
    assert said.startswith("flow: ")
    assert said.count("\n") == 1
    assert set(dynos(tmp_path)) == {"web.1", "worker.1"}
    assert running.process.poll() is None


@pytest.mark.parametrize(
    "arguments",
    [("ps",), ("ps:scale", "a=1"), ("ps", "restart"), ("stop",), ("logs", "--tail")],
)
def test_without_a_session_it_is_said(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "Procfile").write_text(PROCFILE)
    said = flow(tmp_path, *arguments, code=2)
    assert said == (f"flow: no session runs in {tmp_path}; start one with flow start\n")


def test_a_restart_gives_a_new_process(tmp_path: Path, running: Started) -> None:
    before = dynos(tmp_path)
    assert flow(tmp_path, "ps:restart", "worker") == "Restarting worker.1... done\n"
    running.wait_for(b"worker.1 | up", times=2)
    after = dynos(tmp_path)
    assert after["worker.1"]["pid"] != before["worker.1"]["pid"]
    assert after["web.1"]["pid"] == before["web.1"]["pid"]


def test_a_restart_takes_the_procfile_as_it_is_now(
    tmp_path: Path, running: Started
) -> None:
    (tmp_path / "Procfile").write_text(f"web: {SLEEP}\nworker: echo new; {SLEEP}\n")
    flow(tmp_path, "ps:restart", "worker.1")
    running.wait_for(b"worker.1 | new")
    (tmp_path / "Procfile").write_text("broken")
    assert "Procfile:1:7" in flow(tmp_path, "ps:restart", code=2)
    assert dynos(tmp_path)["worker.1"]["restarts"] == 1


def test_a_new_type_can_be_scaled_up(
    tmp_path: Path, running: Started, free_port: int
) -> None:
    (tmp_path / "Procfile").write_text(f"{PROCFILE}more: echo more on $PORT; {SLEEP}\n")
    flow(tmp_path, "ps:scale", "more=1")
    running.wait_for(f"more.1   | more on {free_port + 200}".encode())


def test_a_command_runs_detached(tmp_path: Path, running: Started) -> None:
    said = flow(tmp_path, "run", "--detach", "echo $DYNO; touch ran; exit 3")
    assert "in run.1; flow logs -d run.1" in said
    running.wait_for(b"run.1    | run.1")
    running.wait_for(b"run.1 ended with exit code 3")
    wait_until(lambda: "run.1" not in dynos(tmp_path), waiting_for="run.1 gone")
    assert (tmp_path / "ran").exists()
    assert "in run.2;" in flow(tmp_path, "run", "--detach", "echo", "two  words")
    running.wait_for(b"run.2    | two  words")
    for words in (("run:detached",), ("run", "detached")):
        flow(tmp_path, *words, "echo", "-n", "as on", "Heroku")
    running.wait_for(b"as on Heroku", times=2)


def test_stop_returns_when_nothing_is_left(tmp_path: Path, running: Started) -> None:
    pids = [one["pid"] for one in dynos(tmp_path).values()]
    assert flow(tmp_path, "stop") == "the session has ended\n"
    assert [pid for pid in pids if psutil.pid_exists(pid)] == []
    assert running.end() == 0
    assert not (tmp_path / ".flow" / "session.sock").exists()


def test_a_second_session_says_so(tmp_path: Path, running: Started) -> None:
    said = flow(tmp_path, "start", code=2)
    assert said == (
        f"flow: a session runs in {tmp_path} already; flow ps shows it,"
        " flow stop ends it\n"
    )
    assert running.process.poll() is None


def test_after_kill_the_next_session_starts(tmp_path: Path, free_port: int) -> None:
    (tmp_path / "Procfile").write_text(PROCFILE)
    with Started(tmp_path, "start", "-p", str(free_port)) as started:
        started.wait_for(b"worker.1 | up")
        started.process.kill()
        started.nothing_left()
    assert "no session runs" in flow(tmp_path, "ps", code=2)
    with Started(tmp_path, "start", "-p", str(free_port)) as started:
        started.wait_for(b"worker.1 | up")
        assert len(dynos(tmp_path)) == 2


def test_the_socket_is_for_its_owner_only(tmp_path: Path, running: Started) -> None:
    del running
    assert (tmp_path / ".flow").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / ".flow" / "session.sock").stat().st_mode & 0o777 == 0o600


def test_a_long_path_answers_too(tmp_path: Path, free_port: int) -> None:
    folder = tmp_path / ("with a space " + "x" * 150)
    folder.mkdir()
    (folder / "Procfile").write_text(PROCFILE)
    with Started(folder, "start", "-p", str(free_port)) as started:
        started.wait_for(b"worker.1 | up")
        assert len(dynos(folder)) == 2
        link = (folder / ".flow" / "session.sock").readlink()
        flow(folder, "stop")
    assert not link.exists()


def test_a_folder_that_takes_no_state_runs_without(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("a: echo hello\n")
    (tmp_path / ".flow").write_text("no folder")
    with Started(tmp_path, "start") as started:
        assert started.end() == 0
        assert b"no flow ps and no log: " in started.output
        assert b"a.1  | hello" in started.output


@pytest.mark.parametrize(
    "sent",
    [b"\xff\xfe\n", b"[]\n", b"{}\n", b'{"verb": "scale", "names": 1}\n', b"x" * 70000],
)
def test_nonsense_on_the_socket_hurts_nobody(
    tmp_path: Path, running: Started, sent: bytes
) -> None:
    with State(tmp_path / ".flow").connect() as peer:
        peer.sendall(sent)
        if sent.endswith(b"\n"):
            assert json.loads(peer.recv(65536))
    assert len(dynos(tmp_path)) == 2
    assert running.process.poll() is None


def test_a_session_that_is_stopped_does_not_hang_who_asks(
    tmp_path: Path, running: Started
) -> None:
    half = running.session_half()
    half.suspend()
    with (
        Client(State(tmp_path / ".flow"), patience=0.2) as client,
        pytest.raises(SessionError, match="does not answer within"),
    ):
        client.ask("ps")
    half.resume()
    assert len(dynos(tmp_path)) == 2


def test_a_type_may_be_called_run(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(f"run: echo mine; {SLEEP}\n")
    with Started(tmp_path, "start") as started:
        started.wait_for(b"run.1 | mine")
        assert "in run.2;" in flow(tmp_path, "run", "--detach", "echo other")
        started.wait_for(b"run.2 ended with exit code 0")
        assert flow(tmp_path, "ps:scale") == "run=1\n"
        assert dynos(tmp_path)["run.1"]["state"] == "up"


@pytest.mark.parametrize(
    "kept", ["", "[]", "\0", '{"a": 99999999999}', '{"a": -1}', '{"a": "x", "z": 1}']
)
def test_a_formation_that_makes_no_sense_is_as_if_there_were_none(
    tmp_path: Path, kept: str
) -> None:
    (tmp_path / "Procfile").write_text("a: echo up\n")
    (tmp_path / ".flow").mkdir()
    (tmp_path / ".flow" / "formation.json").write_text(kept)
    with Started(tmp_path, "start") as started:
        assert started.end() == 0
        assert b"a.1  | up" in started.output


def test_a_hundred_silent_clients_do_not_stop_the_session(
    tmp_path: Path, running: Started
) -> None:
    state = State(tmp_path / ".flow")
    peers: list[socket.socket] = [state.connect() for _ in range(70)]
    for peer in peers:
        peer.close()
    assert len(dynos(tmp_path)) == 2
    running.process.terminate()
    assert running.end() == 0


def test_a_client_that_is_stopped_does_not_stop_the_session(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(f"a: yes | head -c 6000000; echo; {SLEEP}\n")
    with Started(tmp_path, "start") as started:
        started.wait_for(b"a.1  | y")
        with Started(tmp_path, "logs", "--tail") as client:
            client.wait_for(b"app[a.1]: y")
            client.process.send_signal(signal.SIGSTOP)
            started.wait_for(b"a.1  | \n", times=1)
            started.process.terminate()
            assert started.end() == 0
            client.process.send_signal(signal.SIGCONT)
            assert client.end() == 0


def test_a_daemon_goes_on_when_its_starter_has_gone(
    tmp_path: Path, free_port: int
) -> None:
    (tmp_path / "Procfile").write_text(f"release: echo ready\n{PROCFILE}")
    with Started(tmp_path, "start", "-p", str(free_port), "--daemon") as started:
        assert started.end() == 0
        assert b"release.1 | ready" in started.output
        assert b"the session goes on in the background" in started.output
        one = wait_for_dyno(tmp_path, "worker.1", "up")
        assert os.getsid(one["pid"]) == one["pid"]
        flow(tmp_path, "stop")
        started.nothing_left()


def test_a_daemon_is_left_alone_once_all_of_it_is_up(
    tmp_path: Path, free_port: int
) -> None:
    (tmp_path / "Procfile").write_text(
        f"once: read x < gate; echo done\na: {SLEEP}\nb: echo last; {SLEEP}\n"
    )
    (tmp_path / "flow.toml").write_text(
        "[processes.once]\nshort_lived = true\n"
        '[processes.a]\nafter = ["once"]\nready = "command:test -e ready"\n'
        '[processes.b]\nafter = ["a"]\n'
    )
    os.mkfifo(tmp_path / "gate")
    with Started(tmp_path, "start", "-p", str(free_port), "--daemon") as started:
        started.wait_for(b"once.1 started")
        # What is short-lived is waited for to its end, not to its beginning.
        assert dynos(tmp_path)["a.1"]["state"] == "down"
        (tmp_path / "gate").write_text("go\n")
        wait_for_dyno(tmp_path, "a.1", "starting")
        assert started.process.poll() is None
        (tmp_path / "ready").touch()
        assert started.end() == 0
        assert b"b.1 started" in started.output
        flow(tmp_path, "stop")
        started.nothing_left()


def test_a_daemon_whose_process_is_not_ready_in_time_fails(
    tmp_path: Path, free_port: int
) -> None:
    (tmp_path / "Procfile").write_text(f"a: {SLEEP}\n")
    (tmp_path / "flow.toml").write_text(
        '[processes.a]\nready = "command:false"\nboot = 0.5\n'
    )
    with Started(tmp_path, "start", "-p", str(free_port), "--daemon") as started:
        assert started.end() == 137
        assert b"Error R10 (Boot timeout)" in started.output
        started.nothing_left()


def test_a_daemon_does_not_wait_for_what_crashes_again_and_again(
    tmp_path: Path, free_port: int
) -> None:
    (tmp_path / "Procfile").write_text(f"a: exit 3\nb: {SLEEP}\n")
    (tmp_path / "flow.toml").write_text(
        '[processes]\na.ready = "command:false"\nb.after = ["a"]\n'
    )
    arguments = ("start", "-p", str(free_port), "--daemon", "--on-exit", "restart")
    with Started(tmp_path, *arguments) as started:
        assert started.end() == 0
        assert b"a.1 starts again" in started.output
        flow(tmp_path, "stop")
        started.nothing_left()


def test_a_daemon_that_cannot_start_says_why(tmp_path: Path, free_port: int) -> None:
    (tmp_path / "Procfile").write_text(f"release: echo no; exit 7\n{PROCFILE}")
    with Started(tmp_path, "start", "-p", str(free_port), "--daemon") as started:
        assert started.end() == 7
        assert b"release.1 | no" in started.output
        started.nothing_left()


def test_a_terminal_of_its_own_can_be_attached(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(
        "a: tty; read x; echo got $x; read y; exit 5\nb: tty; sleep $NAP\n"
    )
    with Started(tmp_path, "start", "--pty", "a") as started:
        started.wait_for(b"a.1  | /dev/")
        started.wait_for(b"b.1  | not a tty")
        with Terminal(tmp_path, "attach", "a.1") as terminal:
            terminal.wait_for(b"attached to a.1")
            terminal.press(b"hello\r")
            terminal.wait_for(b"got hello\r\n")
            terminal.press(b"\x1d")
            assert terminal.end() == 0
        started.wait_for(b"a.1  | got hello\n")
        with Terminal(tmp_path, "attach", "a") as terminal:
            terminal.wait_for(b"attached to a.1")
            terminal.press(b"\r")
            assert terminal.end() == 0
            assert b"ended: a.1" in terminal.output
        assert started.end() == 5


def test_ctrl_c_in_an_attached_terminal_is_the_processs(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(
        "a: trap 'echo interrupted' INT; echo up; while :; do sleep 0.1; done\n"
    )
    with Started(tmp_path, "start", "--pty", "a") as started:
        started.wait_for(b"a.1  | up")
        with Terminal(tmp_path, "attach", "a.1") as terminal:
            terminal.wait_for(b"attached to a.1")
            terminal.press(b"\x03")
            terminal.wait_for(b"interrupted")
            terminal.press(b"\x1d")
            assert terminal.end() == 0
        assert started.process.poll() is None
