"""flow redis: start, url, status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.projectserver import (
    ROOT,
    TIMEOUT,
    User,
    is_used,
    processes,
    put,
    redis,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


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
