"""When a process is up, what waits for it, and what takes too long."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from flow.errors import ConfigError
from flow.runner.declared.kind import kinds
from tests.runner.asking import dynos, flow, wait_for_dyno
from tests.runner.started import Started

if TYPE_CHECKING:
    from pathlib import Path

SLEEP = "sleep $NAP"
# Answers 503 until the file "open" is there; says nothing on its own.
SERVER = """
import http.server, os, pathlib
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if pathlib.Path("open").exists() else 503)
        self.end_headers()
    def log_message(self, *_): pass
open("gate").read()
address = ("127.0.0.1", int(os.environ["PORT"]))
http.server.ThreadingHTTPServer(address, Handler).serve_forever()
"""


def settings(folder: Path, text: str) -> None:
    (folder / "flow.toml").write_text(text)


def a_server(folder: Path, ready: str, port: int) -> tuple[str, ...]:
    os.mkfifo(folder / "gate")
    (folder / "server.py").write_text(SERVER)
    (folder / "Procfile").write_text(
        f"web: {sys.executable} server.py\nworker: echo up; {SLEEP}\n"
    )
    settings(folder, f'[processes]\nweb.ready = "{ready}"\nworker.after = ["web"]\n')
    return ("start", "-p", str(port))


def test_a_type_waits_for_the_port_of_another(tmp_path: Path, free_port: int) -> None:
    with Started(tmp_path, *a_server(tmp_path, "port", free_port)) as started:
        started.wait_for(b"web.1 started")
        assert wait_for_dyno(tmp_path, "web.1", "starting")
        assert dynos(tmp_path)["worker.1"]["state"] == "down"
        (tmp_path / "gate").write_text("go\n")
        started.wait_for(b"worker.1 | up")
        assert started.output.index(b"web.1 is up") < started.output.index(
            b"worker.1 |"
        )
        assert dynos(tmp_path)["web.1"]["state"] == "up"


def test_a_type_is_up_when_it_answers_well(tmp_path: Path, free_port: int) -> None:
    arguments = a_server(tmp_path, "http:/health", free_port)
    with Started(tmp_path, *arguments) as started:
        (tmp_path / "gate").write_text("go\n")
        # One that is asked by us has got the question of flow, too, and said 503.
        wait_for_dyno(tmp_path, "web.1", "starting")
        assert b"is up" not in started.output
        (tmp_path / "open").touch()
        started.wait_for(b"worker.1 | up")


def test_a_type_is_up_when_it_says_so(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gate")
    (tmp_path / "Procfile").write_text(
        f"a: echo not yet; read x < gate; printf 'now '; echo ready; {SLEEP}\n"
        f"b: echo up; {SLEEP}\n"
    )
    settings(tmp_path, '[processes]\na.ready = "log:^now r"\nb.after = "a"\n')
    with Started(tmp_path, "start") as started:
        started.wait_for(b"a.1  | not yet")
        assert dynos(tmp_path)["a.1"]["state"] == "starting"
        (tmp_path / "gate").write_text("go\n")
        started.wait_for(b"b.1  | up")


def test_a_type_is_up_when_a_command_says_so(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(f"a: {SLEEP}\nb: echo up; {SLEEP}\n")
    settings(
        tmp_path, '[processes]\na.ready = "command:test -e $DYNO"\nb.after = ["a"]\n'
    )
    with Started(tmp_path, "start") as started:
        started.wait_for(b"a.1 started")
        assert dynos(tmp_path)["a.1"]["state"] == "starting"
        (tmp_path / "a.1").touch()
        started.wait_for(b"b.1  | up")
        started.process.terminate()
        assert started.end() == 0
        started.nothing_left()


@pytest.mark.parametrize("ready", ["port", "command:false", "log:never"])
def test_what_is_not_ready_in_time_is_a_boot_timeout(
    tmp_path: Path, ready: str
) -> None:
    (tmp_path / "Procfile").write_text(f"a: trap '' TERM; {SLEEP}\nb: {SLEEP}\n")
    settings(tmp_path, f'[processes.a]\nready = "{ready}"\nboot = 0.5\n')
    with Started(tmp_path, "start") as started:
        assert started.end() == 137
        assert b"a.1: Error R10 (Boot timeout) -> not ready" in started.output
        started.nothing_left()


def test_a_stop_while_starting_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(f"a: {SLEEP}\n")
    settings(tmp_path, '[processes.a]\nready = "command:false"\n')
    with Started(tmp_path, "start") as started:
        started.wait_for(b"a.1 started")
        flow(tmp_path, "ps:restart")
        started.wait_for(b"a.1 started", times=2)
        started.process.terminate()
        assert started.end() == 0
        started.nothing_left()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"x": {}}, "names x, which the Procfile has not; it has: a, b"),
        ({"a": {"read": ""}}, "has no setting 'read'; known: short_lived, pty, ready"),
        ({"a": 1}, r"\[tool.flow.processes.a\] is not a table"),
        ({"a": {"pty": 1}}, "pty must be true or false"),
        ({"a": {"boot": 0}}, "boot must be a number of seconds"),
        ({"a": {"boot": True}}, "boot must be a number of seconds"),
        ({"a": {"after": [1]}}, "after must be a list of texts"),
        ({"a": {"after": ["c"]}}, "after names c, which the Procfile has not"),
        ({"a": {"after": ["a"]}}, "it would wait for itself"),
        ({"a": {"after": ["b"]}, "b": {"after": ["a"]}}, "it would wait for itself"),
        ({"a": {"ready": "soon"}}, "ready is soon; it must be port, http:/path"),
        ({"a": {"ready": "port:80"}}, "it must be port"),
        ({"a": {"ready": "http"}}, "it must be port"),
        ({"a": {"ready": "log:("}}, "ready: '\\('"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(
    table: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        kinds(table, ["a", "b"], ())


def test_settings_in_pyproject_and_in_flow_toml_are_refused(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("a: x\n")
    (tmp_path / "pyproject.toml").write_text("[tool.flow.processes.a]\npty = true\n")
    settings(tmp_path, "[processes.a]\npty = true\n")
    assert "keep one of them" in flow(tmp_path, "start", code=2)
    assert "keep one of them" in flow(tmp_path, "check", code=1)
