from __future__ import annotations

import os
import shlex
import signal
import socket
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from flow.store import embedded
from tests.runner.started import PROGRAM, Started, Terminal
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

SLEEP = "sleep $NAP"
NOHUP = ("sh", "-c", 'trap "" HUP; exec "$@"', "sh")


def a_gate(folder: Path) -> Path:
    """Return a pipe in which a process waits until the test writes to it."""
    os.mkfifo(folder / "gate")
    return folder / "gate"


def outcome(folder: Path, *arguments: str, **environ: str) -> tuple[int, str, str]:
    """Run flow start to its end; return its exit code, its output and its errors."""
    with Started(folder, "start", *arguments, environ=environ) as started:
        code = started.end()
        started.nothing_left()
        return code, started.output.decode(), started.errors


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("exit 3", 3, "a.1 ended with exit code 3"),
        ("exit 0", 0, "a.1 ended with exit code 0"),
        ("kill -KILL $$", 137, "a.1 was ended by SIGKILL"),
        ("kill -SEGV $$", 139, "a.1 was ended by SIGSEGV"),
        ("no-such-program", 127, "a.1 ended with exit code 127"),
    ],
)
def test_the_first_process_that_ends_decides_the_exit_code(
    tmp_path: Path, command: str, code: int, said: str
) -> None:
    (tmp_path / "Procfile").write_text(f"a: {command}\nb: {SLEEP}\n")
    ended, output, _ = outcome(tmp_path)
    assert ended == code
    assert said in output
    assert "stopping the others" in output
    assert "b.1 was ended by SIGTERM" in output


def test_a_process_that_fails_while_stopping_changes_nothing(tmp_path: Path) -> None:
    gate = a_gate(tmp_path)
    (tmp_path / "Procfile").write_text(
        f"a: read x < gate; exit 0\nb: trap 'exit 9' TERM; echo up; {SLEEP} & wait\n"
    )
    with Started(tmp_path, "start") as started:
        started.wait_for(b"b.1  | up")
        gate.write_text("go\n")
        assert started.end() == 0
        assert b"b.1 ended with exit code 9" in started.output


def test_a_background_process_of_the_one_that_ended_is_stopped(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(f"a: {SLEEP} & exit 4\n")
    assert outcome(tmp_path)[0] == 4


def test_a_line_of_the_procfile_is_the_shells(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(
        "a: A=1 sh -c 'echo \"A is $A\"' && (exit 7) # here, and not before\n"
    )
    with Started(tmp_path, "start") as started:
        assert started.end() == 7
        assert b"a.1  | A is 1" in started.output


def test_a_process_may_use_its_grace(tmp_path: Path) -> None:
    gate = a_gate(tmp_path)
    stop = "echo stopping; read x < gate; echo put back; exit 0"
    (tmp_path / "Procfile").write_text(
        f"a: trap '{stop}' TERM; echo up; {SLEEP} & wait\n"
    )
    with Started(tmp_path, "start", "--grace", "60") as started:
        started.wait_for(b"a.1  | up")
        started.process.terminate()
        started.wait_for(b"a.1  | stopping")
        gate.write_text("go\n")
        assert started.end() == 0
        assert b"a.1  | put back" in started.output


def test_a_second_ctrl_c_kills_at_once(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(f"a: trap '' TERM; echo up; {SLEEP}\n")
    with Terminal(tmp_path, "start", "--grace", "10000", NO_COLOR="1") as terminal:
        terminal.wait_for(b"a.1  | up")
        terminal.press(b"\x03")
        terminal.wait_for(b"Ctrl-C again kills at once")
        terminal.press(b"\x03")
        assert terminal.end() == 130
        terminal.nothing_left()


def test_an_output_that_is_closed_is_no_output(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("a: echo hello; touch made; exit 3\n")
    closed = ("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh")
    with Started(tmp_path, "start", before=closed) as started:
        assert started.end() == 3
        assert (tmp_path / "made").exists()


def test_a_process_that_cannot_be_started_ends_the_others(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(f"a: {SLEEP}\nb: echo {'x' * 200_000}\n")
    code, output, _ = outcome(tmp_path)
    assert code == 126
    assert "b.1 cannot be started: " in output
    assert "Argument list too long" in output


def test_fifty_processes_start_and_stop(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(f"a: echo up; {SLEEP}\n")
    with Started(tmp_path, "start", "-c", "a=50") as started:
        started.wait_for(b" | up", times=50)
        started.process.terminate()
        assert started.end() == 0
        started.nothing_left()


def test_a_session_in_a_session_ends_with_it(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    program = shlex.join([*PROGRAM, "start", "-f", "inner/Procfile"])
    (tmp_path / "Procfile").write_text(f"a: {program}\n")
    (inner / "Procfile").write_text(f"b: echo up; (setsid {SLEEP} &); {SLEEP}\n")
    with Started(tmp_path, "start") as started:
        started.wait_for(b"a.1  | b.1  | up")
        started.process.terminate()
        assert started.end() == 0
        started.nothing_left()


def test_orphans_are_buried_while_a_session_runs(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(
        f"a: for i in $(seq 50); do (true &); done; echo up; {SLEEP}\n"
    )
    with Started(tmp_path, "start") as started:
        started.wait_for(b"a.1  | up")
        wait_until(lambda: not started.zombies(), timeout=60, waiting_for="no zombie")


def test_a_hang_up_ends_a_session_with_its_terminal(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(f"a: echo up; {SLEEP}\n")
    with Terminal(tmp_path, "start", NO_COLOR="1") as terminal:
        terminal.wait_for(b"a.1  | up")
        terminal.hang_up()
        terminal.end()
        terminal.nothing_left()


def test_nohup_is_respected(tmp_path: Path) -> None:
    gate = a_gate(tmp_path)
    (tmp_path / "Procfile").write_text(f"a: echo up; read x < gate; echo on; {SLEEP}\n")
    with Started(tmp_path, "start", before=NOHUP) as started:
        started.wait_for(b"a.1  | up")
        started.session_half().send_signal(signal.SIGHUP)
        started.process.send_signal(signal.SIGHUP)
        gate.write_text("go\n")
        started.wait_for(b"a.1  | on")
        assert b"stopping" not in started.output
        started.process.terminate()
        assert started.end() == 0


def test_the_release_runs_first_and_once(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(
        "a: cat made; exit 0\nrelease: echo migrated >> made\n"
    )
    code, output, _ = outcome(tmp_path)
    assert code == 0
    assert "a.1       | migrated" in output
    assert (tmp_path / "made").read_text() == "migrated\n"


def test_a_release_that_fails_starts_nothing(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("release: exit 7\na: touch started\n")
    code, output, _ = outcome(tmp_path)
    assert code == 7
    assert "nothing is started" in output
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT"])
def test_a_release_that_is_stopped_starts_nothing(tmp_path: Path, number: str) -> None:
    (tmp_path / "Procfile").write_text(
        f"release: trap 'exit 0' TERM; echo up; {SLEEP} & wait\na: touch started\n"
    )
    with Started(tmp_path, "start") as started:
        started.wait_for(b"release.1 | up")
        started.process.send_signal(signal.Signals[number])
        assert started.end() == (130 if number == "SIGINT" else 0)
        started.nothing_left()
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize(
    ("arguments", "released"),
    [
        ((), True),
        (("a",), False),
        (("--no-release",), False),
        (("--release", "a"), True),
        (("-c", "a=2"), True),
    ],
)
def test_the_release_belongs_to_the_whole_procfile(
    tmp_path: Path, arguments: tuple[str, ...], *, released: bool
) -> None:
    (tmp_path / "Procfile").write_text("release: touch released\na: true\n")
    assert outcome(tmp_path, *arguments)[0] == 0
    assert (tmp_path / "released").exists() is released


def test_each_process_is_told_its_port_and_name(tmp_path: Path) -> None:
    a_gate(tmp_path)
    show = "echo $PORT $DYNO $PS $FLOW_GRACE $A; read x < gate"
    (tmp_path / "Procfile").write_text(f"a: {show}\nb: {show}\n")
    (tmp_path / ".env").write_text("PORT=7000\nA=env\n")
    with Started(tmp_path, "start", "-c", "b=2", "--grace", "5") as started:
        started.wait_for(b"a.1  | 7000 a.1 a.1 4 env")
        started.wait_for(b"b.1  | 7100 b.1 b.1 4 env")
        started.wait_for(b"b.2  | 7101 b.2 b.2 4 env")


def test_the_folder_of_the_procfile_is_where_processes_run(tmp_path: Path) -> None:
    folder = tmp_path / ("with a space and long " + "x" * 150)
    folder.mkdir()
    (folder / "Procfile.dev").write_text("a: pwd; echo $A\n")
    (folder / ".env").write_text("A=from there\n")
    code, output, _ = outcome(tmp_path, "-f", f"{folder.name}/Procfile.dev")
    assert code == 0
    assert f"a.1  | {folder}" in output
    assert "a.1  | from there" in output


def test_the_procfile_is_found_from_a_folder_below(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("a: pwd\n")
    below = tmp_path / "shop" / "views"
    below.mkdir(parents=True)
    assert f"a.1  | {tmp_path}\n" in outcome(below)[1]


def test_colours_are_for_terminals(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("a: echo hello\n")
    with Terminal(tmp_path, "start") as terminal:
        assert terminal.end() == 0
        assert b"\x1b[36ma.1  | \x1b[0mhello" in terminal.output
    assert "\x1b" not in outcome(tmp_path)[1]
    assert "\x1b" in outcome(tmp_path, FORCE_COLOR="1")[1]
    with Terminal(tmp_path, "start", NO_COLOR="1") as terminal:
        assert terminal.end() == 0
        assert b"\x1b" not in terminal.output


@pytest.mark.parametrize(
    ("procfile", "arguments", "message"),
    [
        (None, (), "there is no Procfile in"),
        ("web run", (), "Procfile:1:4: not 'name: command'"),
        ("a: x\na: y", (), "Procfile:2:1: a is already on line 1"),
        ("a: x", ("b",), "has no process 'b'; it has: a"),
        ("a: x", ("-c", "b=2"), "has no process 'b'; it has: a"),
        ("a: x", ("-c", "a"), "not of the form web=2,worker=3"),
        ("a: x", ("-e", "none.env"), "none.env: there is no such file"),
        ("a: x", ("-p", "70000"), "-p is '70000'; a port is from 1 to 65535"),
        ("a: x", ("--release",), "has no release line"),
    ],
)
def test_bad_input_is_one_clear_line_and_nothing_starts(
    tmp_path: Path, procfile: str | None, arguments: tuple[str, ...], message: str
) -> None:
    if procfile is not None:
        (tmp_path / "Procfile").write_text(f"{procfile}\n")
    code, output, errors = outcome(tmp_path, *arguments)
    assert (code, output) == (2, "")
    assert errors.startswith("flow: ")
    assert message in errors
    assert errors.count("\n") == 1


def test_a_port_in_use_is_said_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("release: touch released\nweb: x\n")
    with socket.create_server(("0.0.0.0", 0)) as taken:  # noqa: S104 - the case
        port = taken.getsockname()[1]
        code, _, errors = outcome(tmp_path, "-p", str(port))
    assert code == 2
    assert f"port {port} for web.1 cannot be used: address already in use" in errors
    assert "choose another with -p, such as -p " in errors
    assert not (tmp_path / "released").exists()


@pytest.mark.parametrize("half", ["guard", "session"])
def test_a_killed_session_leaves_its_server_to_the_other_users(
    tmp_path: Path, half: str
) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.flow]\napp = "shop"\n')
    (tmp_path / "Procfile").write_text(f"a: echo up; {SLEEP}\n")
    with Started(tmp_path, "start") as started:
        started.wait_for(b"a.1  | up")
        other = embedded.join(tmp_path / ".flow")
        assert other is not None
        with other:
            server = psutil.Process(other.pid)
            killed = started.process if half == "guard" else started.session_half()
            session = started.session_half()
            killed.kill()
            session.wait(60)
            started.end()
            assert server.is_running()
        server.wait(60)
        started.nothing_left()


def test_several_clocks_are_a_warning_only(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("clock: true\n")
    code, output, _ = outcome(tmp_path, "-c", "clock=2")
    assert code == 0
    assert "2 clocks: safe" in output


def test_the_password_of_the_server_is_never_printed(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("a: true\n")
    (tmp_path / ".env").write_text(
        "REDIS_URL=redis://me:S3CRET@host:1/0?password=S3CRET"
    )
    _, output, errors = outcome(tmp_path)
    assert "redis://me:***@host:1/0, from the .env file" in output
    assert "S3CRET" not in output + errors


def test_without_an_app_no_server_is_started(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("a: echo ${REDIS_URL:-none}\n")
    assert "a.1  | none" in outcome(tmp_path)[1]
    assert not (tmp_path / ".flow" / "redis").exists()


def test_an_app_gets_a_server_that_outlives_its_processes(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.flow]\napp = "shop"\n')
    (tmp_path / "ping.py").write_text(
        "import os, redis\n"
        "with redis.Redis.from_url(os.environ['REDIS_URL']) as server:\n"
        "    print(server.ping())\n"
    )
    trap = f"trap '{sys.executable} ping.py; exit 0' TERM"
    (tmp_path / "Procfile").write_text(f"a: {trap}; echo up; {SLEEP} & wait\n")
    with Started(tmp_path, "start") as started:
        started.wait_for(b"a.1  | up")
        started.process.terminate()
        assert started.end() == 0
        assert b"a.1  | True" in started.output
        started.nothing_left()
