from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

import pytest

from tests.runner.started import Started, Terminal

if TYPE_CHECKING:
    from pathlib import Path


def outcome(folder: Path, *arguments: str, **environ: str) -> tuple[int, str]:
    with Started(folder, "run", *arguments, environ=environ) as started:
        code = started.end()
        return code, started.output.decode() + started.errors


def test_a_program_gets_its_arguments_as_they_are(tmp_path: Path) -> None:
    script = "import sys; print(sys.argv[1:])"
    code, output = outcome(
        tmp_path, sys.executable, "-c", script, "a b", "--port", "$X"
    )
    assert (code, output) == (0, "['a b', '--port', '$X']\n")


def test_one_text_is_read_by_a_shell(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("NAME=Ada\n")
    assert outcome(tmp_path, "echo $NAME $PORT $DYNO | tr A a") == (
        0,
        "ada 5001 run.1\n",
    )


def test_a_line_of_the_procfile_runs_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(
        "release: echo migrated\nweb: x\nworker: pwd; echo $PORT $DYNO\n"
    )
    below = tmp_path / "below"
    below.mkdir()
    assert outcome(below, "worker") == (0, f"{tmp_path}\n5101 worker.1\n")
    assert outcome(below, "release") == (0, "migrated\n")
    assert outcome(below, "pwd") == (0, f"{below}\n")


@pytest.mark.parametrize(
    ("command", "code"),
    [(["exit 3"], 3), (["kill -KILL $$"], 137), (["sh", "-c", "exit 4"], 4)],
)
def test_the_exit_code_is_the_commands(
    tmp_path: Path, command: list[str], code: int
) -> None:
    assert outcome(tmp_path, *command)[0] == code


def test_a_program_that_is_missing_is_127_and_one_that_is_none_126(
    tmp_path: Path,
) -> None:
    (tmp_path / "plain.txt").touch()
    missing = outcome(tmp_path, "no-such-program", "x")
    assert missing == (127, "flow: no-such-program: No such file or directory\n")
    assert outcome(tmp_path, "./plain.txt", "x")[0] == 126


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_signal_is_passed_on(tmp_path: Path, name: str) -> None:
    trap = f"trap 'echo got it; kill $!; exit 5' {name[3:]}; echo up; sleep $NAP & wait"
    with Started(tmp_path, "run", trap) as started:
        started.wait_for(b"up")
        started.process.send_signal(signal.Signals[name])
        assert started.end() == 5
        assert b"got it" in started.output


def test_the_terminal_is_the_commands(tmp_path: Path) -> None:
    script = "import os; print(os.isatty(0), input('name? '))"
    with Terminal(tmp_path, "run", sys.executable, "-c", script) as terminal:
        terminal.wait_for(b"name? ")
        terminal.press(b"Ada\n")
        assert terminal.end() == 0
        assert b"True Ada" in terminal.output


def test_one_ctrl_c_is_one_for_the_command(tmp_path: Path) -> None:
    script = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, lambda *_: print('pressed', flush=True))\n"
        "print('up', flush=True); sys.stdin.readline(); sys.exit(6)\n"
    )
    with Terminal(tmp_path, "run", sys.executable, "-c", script) as terminal:
        terminal.wait_for(b"up")
        terminal.press(b"\x03")
        terminal.wait_for(b"pressed")
        terminal.press(b"\n")
        assert terminal.end() == 6
        assert terminal.output.count(b"pressed") == 1


def test_it_joins_the_server_that_flow_start_runs(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.flow]\napp = "shop"\n')
    (tmp_path / "Procfile").write_text("a: echo $REDIS_URL; sleep $NAP\n")
    with Started(tmp_path, "start") as started:
        started.wait_for(b"a.1  | unix:")
        _, url = outcome(tmp_path, "echo $REDIS_URL")
        assert f"a.1  | {url}".encode() in started.output


def test_a_command_of_an_app_needs_a_redis_and_others_do_not(tmp_path: Path) -> None:
    """Else a plain RQ client in it would take whatever runs on this machine."""
    (tmp_path / "Procfile").write_text("web: x\n")
    assert outcome(tmp_path, "echo ${REDIS_URL:-none}") == (0, "none\n")
    (tmp_path / "pyproject.toml").write_text('[tool.flow]\napp = "shop"\n')
    code, said = outcome(tmp_path, "echo ran")
    assert (code, said.partition(";")[0]) == (
        2,
        "flow: REDIS_URL is not set and no server runs here",
    )
    assert outcome(tmp_path, "echo ran", REDIS_URL="redis://h") == (0, "ran\n")
