"""Errors: one tree, said in one line; and the names that flow exports."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

import flow
from flow import errors
from tests.support.apps import ROOT

if TYPE_CHECKING:
    from pathlib import Path

ALL = [
    one
    for _, one in inspect.getmembers(errors, inspect.isclass)
    if one.__module__ == errors.__name__
]


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_every_error_is_a_flow_error_that_says_what_it_means(
    error: type[BaseException],
) -> None:
    if error in (errors.SoftTimeout, errors.JobStopped):
        assert not issubclass(error, Exception), "except Exception must not swallow it"
    else:
        assert issubclass(error, errors.FlowError)
    assert error.__doc__


def test_a_failure_carries_its_traceback() -> None:
    failed = errors.JobFailed("ValueError: no cat", "Traceback ...")
    assert str(failed) == "ValueError: no cat"
    assert failed.traceback == "Traceback ..."


def test_every_public_name_can_be_imported() -> None:
    for name in flow.__all__:
        assert getattr(flow, name).__name__ == name
    assert dir(flow) == flow.__all__
    assert sorted(flow.__all__) == flow.__all__


def test_a_name_that_flow_does_not_have_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'flow' has no attribute 'tsak'"):
        _ = flow.tsak


def run(folder: Path, *words: str, **told: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), **told},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def flow_worker(folder: Path, *options: str, **told: str) -> str:
    """Return the one line that ``flow worker`` says before it exits with 2."""
    ended = run(folder, "-m", "flow", "worker", "--burst", *options, **told)
    assert ended.returncode == 2, ended.stderr
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    return line


NOBODY = "redis://127.0.0.1:1/0"


def test_an_app_that_is_missing_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    said = flow_worker(tmp_path, "--app", "nowhere.tasks", REDIS_URL=NOBODY)
    assert said.startswith("flow: there is no module 'nowhere'")


def test_an_app_that_fails_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("raise RuntimeError('no licence')\n")
    said = flow_worker(tmp_path, "--app", "broken", REDIS_URL=NOBODY)
    assert said == (
        "flow: the app's module 'broken' fails while it is imported: "
        f"RuntimeError: no licence ({tmp_path / 'broken.py'}:1)"
    )


def test_two_tasks_of_one_name_are_one_line_and_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "twins.py").write_text(
        "from flow import task\n"
        "@task(name='report')\ndef one(): ...\n"
        "@task(name='report')\ndef two(): ...\n"
    )
    said = flow_worker(tmp_path, "--app", "twins", REDIS_URL=NOBODY)
    assert "two tasks are named 'report': twins.one and twins.two" in said


def test_a_worker_without_a_server_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("")
    assert flow_worker(tmp_path, "--app", "shop") == (
        "flow: REDIS_URL is not set and no server runs here; "
        "set it, or run flow start or flow redis start "
        f"(looked in {tmp_path / '.flow'})"
    )
    assert not (tmp_path / ".flow").exists(), "nothing is started or made"


def test_options_that_contradict_each_other_are_one_line(tmp_path: Path) -> None:
    said = flow_worker(tmp_path, "--urgent", "--queues", "a", REDIS_URL=NOBODY)
    assert said == "flow: --urgent and --queues exclude each other"


ENQUEUE = """
from flow import errors, task

@task
def resize(path): ...
"""

ASK = """
import shop
from flow import errors
try:
    shop.resize.enqueue("cat.png")
except errors.FlowError as error:
    print(type(error).__name__, error)
"""


def test_enqueueing_without_a_server_raises_no_server(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(ENQUEUE)
    ended = run(tmp_path, "-c", ASK)
    assert ended.stdout.startswith("NoServer REDIS_URL is not set and no server runs")
    assert not (tmp_path / ".flow").exists()


def test_enqueueing_to_a_server_that_is_away_fails_at_once(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(ENQUEUE)
    (tmp_path / "Procfile").write_text("worker: flow worker\n")
    (tmp_path / ".env").write_text("REDIS_URL=redis://:secret@127.0.0.1:1/0\n")
    ended = run(tmp_path, "-c", ASK)
    assert ended.stdout.startswith(
        "ServerUnreachable no answer from redis://:***@127.0.0.1:1/0 (REDIS_URL"
    ), ended
    assert "secret" not in ended.stdout + ended.stderr


def test_a_url_that_is_none_is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(ENQUEUE)
    ended = run(tmp_path, "-c", ASK, REDIS_URL="localhost:6379")
    assert ended.stdout.startswith(
        "ConfigError localhost:6379 is no address of a Redis"
    )


@pytest.mark.parametrize("after", [-1, True, "60", float("nan"), float("inf"), [60]])
def test_a_retry_after_no_time_is_refused(after: Any) -> None:  # noqa: ANN401 - any
    with pytest.raises(errors.InvalidCall, match="after is a number of seconds from 0"):
        flow.Retry(after=after)


def test_a_retry_takes_seconds_or_a_timedelta_and_a_reason() -> None:
    assert flow.Retry(after=1.5).after == 1.5
    assert flow.Retry("later", after=timedelta(minutes=2)).after == 120.0
    assert flow.Retry().after is None
    assert str(flow.Retry("later")) == "later"


@pytest.mark.parametrize("error", [flow.Retry, flow.Discard])
def test_what_is_no_reason_is_refused(error: Any) -> None:  # noqa: ANN401 - as above
    with pytest.raises(errors.InvalidCall, match="takes the reason"):
        error(60)


def test_they_can_be_pickled_as_a_pool_of_processes_does() -> None:
    again = pickle.loads(pickle.dumps(flow.Retry("later", after=60)))  # noqa: S301
    assert (str(again), again.after) == ("later", 60.0)
