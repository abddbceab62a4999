"""The documents at work: their examples are run, their promises about Redis kept."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Self, cast

import pytest

from tests.support import workers
from tests.support.apps import SHOP, Shop, let_go
from tests.support.pages import ROOT, acl, page
from tests.support.shop import tasks
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import redis

    from flow.store.client import Store
    from tests.support.server import Server

PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHOWN = re.compile(r"^(\S.*?)  # -> (.+)$", re.MULTILINE)
ROW = re.compile(r"^\| `((?:rq|flow):[^`]+)` \| (\w[\w ]+) \|", re.MULTILINE)
TICKING = """
from flow import every, task

@every(1)
@task(retries=1, backoff=[0])
def beat() -> None:
    raise ValueError("so that it is retried, and fails")
"""


def examples() -> tuple[dict[str, str], str]:
    """Return the modules of docs/tasks.md, and what is done with them as a script."""
    modules: dict[str, str] = {}
    script: list[str] = []
    for block in PYTHON.findall(page("tasks.md")):
        if named := re.match(r"# (\S+\.py)\n", block):
            modules[named[1]] = block
        else:
            script.append(SHOWN.sub(r"assert (\1) == \2, \1", block))
    return modules, "\n".join(script)


def test_the_examples_of_the_guide_do_what_they_say(
    server: Server, tmp_path: Path
) -> None:
    modules, script = examples()
    (tmp_path / "shop").mkdir()
    for name, text in {**modules, "guide.py": script}.items():
        (tmp_path / name).write_text(text, "utf-8")
    app = ",".join(name.removesuffix(".py").replace("/", ".") for name in modules)
    with workers.worker(server.url, "--processes", "1", app=app, folder=tmp_path):
        ended = subprocess.run(
            [sys.executable, "guide.py"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=workers.ENDS_WITHIN,
            check=False,
        )
    assert ended.returncode == 0, ended.stderr
    assert "ValueError: ann is no address" in ended.stdout


def catalogue() -> dict[str, str]:
    """Return the patterns and types of the table of keys, the most exact first."""
    text = page("keys-and-scripts.md")
    rows = {re.sub(r"<\w+>", "[^:]+", key): kind for key, kind in ROW.findall(text)}
    return dict(sorted(rows.items(), key=lambda row: -len(row[0])))


def types(client: redis.Redis) -> dict[str, str]:
    untyped = cast("Any", client)  # redis-py leaves its replies untyped
    found: dict[str, str] = {}
    for key in untyped.scan_iter():
        kind: str = untyped.type(key).decode()
        if kind != "none":  # else it has expired meanwhile
            found[key.decode()] = "sorted set" if kind == "zset" else kind
    return found


def uncatalogued(client: redis.Redis) -> list[str]:
    rows = catalogue()
    wrong: list[str] = []
    for key, kind in types(client).items():
        row = next((row for row in rows if re.fullmatch(row, key)), None)
        if row is None or rows[row] != kind:
            wrong.append(f"{key}, a {kind}")
    return wrong


@pytest.fixture
def ticking(server: Server, tmp_path: Path) -> Iterator[Ticking]:
    """A clock that ticks each second."""
    with Ticking(tmp_path) as ticking:
        ticking.start(server.url)
        yield ticking


class Ticking:
    """An app that a clock enqueues each second, and its processes.

    Args:
        folder: where it lives.

    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        (folder / "ticking.py").write_text(TICKING)

    def start(self, url: str, role: str = "clock") -> None:
        environment = {n: v for n, v in os.environ.items() if n not in workers.TOLD}
        told = [role, "--app", "ticking", "--log-level", "warning"]
        with (self.folder / f"{role}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "flow", *told],
                cwd=self.folder,
                env={**environment, "REDIS_URL": url},
                stderr=log,
            )
        self._processes.append(process)

    def stop(self) -> None:
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        assert [process.wait(workers.ENDS_WITHIN) for process in self._processes] == [
            0 for _ in self._processes
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
            process.wait()


def test_whatever_flow_writes_is_in_the_catalogue_of_keys(
    server: Server, store: Store, client: redis.Redis, ticking: Ticking, tmp_path: Path
) -> None:
    assert store
    shop = Shop(server.url, tmp_path)
    gate = shop.gate()
    tasks.report.enqueue()  # its result is not kept
    tasks.fail.enqueue("no cat")
    waits = tasks.resize.enqueue_in(60, "later.png")
    tasks.resize.options(depends_on=waits).enqueue("cat.png")
    tasks.echo.options(queue="unserved").enqueue(1).cancel()
    held = tasks.hold.enqueue(gate)
    with shop.open():
        wait_until(lambda: held.status == "started", waiting_for="the job's start")
        wait_until(lambda: client.exists("flow:beats"), waiting_for="a beat")
        wait_until(
            lambda: client.exists("flow:clock:ticking:ledger"), waiting_for="a tick"
        )
        assert uncatalogued(client) == []
        let_go(gate, "done")
        assert held.result(timeout=60) == "done"
    ticking.stop()
    assert uncatalogued(client) == []
    seen = {
        row for row in catalogue() for key in types(client) if re.fullmatch(row, key)
    }
    assert len(seen) > len(catalogue()) / 2, "this test looked at little"


def test_the_user_of_the_security_page_may_do_all_that_flow_does(
    server: Server, client: redis.Redis, tmp_path: Path
) -> None:
    words = [">pw" if word == ">PASSWORD" else word for word in acl()]
    command: Any = client.execute_command  # untyped in redis-py
    command("ACL", "SETUSER", "flow-docs", "reset", *words)
    command("ACL", "LOG", "RESET")
    url = server.url.replace("unix://", "unix://flow-docs:pw@")
    try:
        with Ticking(tmp_path) as ticking:
            ticking.start(url)
            ticking.start(url, "worker")
            wait_until(
                lambda: client.zcard("rq:failed:default"),
                timeout=60,
                waiting_for="a tick's job to fail twice",
            )
            ended = workers.burst(
                url, SHOP, tmp_path, environment={"PYTHONPATH": str(ROOT)}
            )
            ticking.stop()
        denied = command("ACL", "LOG")
    finally:
        command("ACL", "DELUSER", "flow-docs")
    assert denied == []
    assert ended.returncode == 0, ended.stderr
