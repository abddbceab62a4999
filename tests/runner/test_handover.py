"""Web goes over from one release to the next without a request that fails."""

from __future__ import annotations

import contextlib
import http.client
import socket
import sys
import threading
from typing import TYPE_CHECKING, Self

import pytest

from flow.errors import ConfigError
from flow.runner.declared.handover import overlaps
from flow.runner.declared.kind import kinds
from tests.runner.asking import flow
from tests.runner.started import Started

if TYPE_CHECKING:
    from pathlib import Path

# Answers with its release; on TERM it takes no new connection, and answers the rest.
SERVER = """
import http.server, os, signal, socket, threading
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        text = os.environ.get("HEROKU_RELEASE_VERSION", "v0").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def log_message(self, *_): pass
class Server(http.server.ThreadingHTTPServer):
    daemon_threads = False
server = Server(("", 0), Handler, bind_and_activate=False)
server.socket.close()
server.socket = socket.socket(fileno=3)
# Another process may have taken what this one was woken for.
server.socket.setblocking(False)
stop = lambda *_: threading.Thread(target=server.shutdown).start()
signal.signal(signal.SIGTERM, stop)
server.serve_forever(0.05)
server.server_close()
"""
SETTINGS = '[processes.web]\nhandover = "socket"\nready = "http:/"\n'


class Visitors:
    """Clients that ask all the time, each request by a connection of its own."""

    def __init__(self, port: int, count: int = 2) -> None:
        self.answers: list[str] = []
        self.failures: list[Exception] = []
        self._port, self._gone = port, threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(count)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._gone.set()
        for thread in self._threads:
            thread.join(60)

    def ask(self) -> None:
        peer = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        with contextlib.closing(peer):
            try:
                peer.request("GET", "/")
                self.answers.append(peer.getresponse().read().decode())
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(error)

    def _ask(self) -> None:
        while not self._gone.is_set():
            self.ask()


def test_no_request_fails_while_releases_take_over(
    tmp_path: Path, free_port: int
) -> None:
    (tmp_path / "server.py").write_text(SERVER)
    (tmp_path / "Procfile").write_text(f"web: {sys.executable} server.py\n")
    (tmp_path / "flow.toml").write_text(SETTINGS)
    with Started(tmp_path, "start", "-p", str(free_port)) as started:
        started.wait_for(b"web.1 is up")
        with Visitors(free_port) as visitors:
            flow(tmp_path, "deploy")
            flow(tmp_path, "deploy")
            # All of the old one have gone: whoever asks now is answered by the new.
            late = Visitors(free_port)
            late.ask()
        assert visitors.failures == []
        assert {"v0", "v1"} <= set(visitors.answers)
        assert late.answers == ["v2"]


def test_a_request_waits_while_web_starts_again(tmp_path: Path, free_port: int) -> None:
    (tmp_path / "server.py").write_text(SERVER)
    (tmp_path / "Procfile").write_text(f"web: {sys.executable} server.py\n")
    (tmp_path / "flow.toml").write_text(SETTINGS)
    with Started(tmp_path, "start", "-p", str(free_port)) as started:
        started.wait_for(b"web.1 is up")
        with Visitors(free_port) as visitors:
            flow(tmp_path, "ps:restart")
            started.wait_for(b"web.1 is up", times=2)
        assert visitors.failures == []
        # What is scaled away refuses, rather than let anybody wait for ever.
        flow(tmp_path, "ps:scale", "web=2")
        started.wait_for(b"web.2 is up")
        flow(tmp_path, "ps:scale", "web=1")
        started.wait_for(b"web.2 ended with exit code 0")
        flow(tmp_path, "ps")
        with socket.socket() as peer:
            assert peer.connect_ex(("127.0.0.1", free_port + 1)) != 0


@pytest.mark.parametrize(
    ("name", "old", "new", "both"),
    [
        ("web", "", "", False),
        ("web", "socket", "socket", True),
        ("web", "overlap", "overlap", True),
        ("web", "", "socket", False),
        ("web", "socket", "overlap", False),
        ("worker", "", "", True),
        ("worker", "", "stop", False),
        ("worker", "stop", "stop", False),
        ("worker", "overlap", "", True),
    ],
)
def test_both_run_for_a_moment_where_old_and_new_agree(
    name: str, old: str, new: str, *, both: bool
) -> None:
    assert overlaps(name, old, new) is both


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"handover": "soft"}, "handover must be stop, overlap, socket or socket:ADDR"),
        ({"handover": "stop:1"}, "handover must be stop"),
        ({"handover": True}, "handover must be stop"),
        ({"handover": "socket", "ready": "port"}, 'ready = "port" says nothing'),
    ],
)
def test_a_handover_that_cannot_be_is_refused(
    table: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        kinds({"web": table}, ["web"], ())
