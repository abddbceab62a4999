"""What a type checker says about tasks: right calls pass, wrong ones do not."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

RIGHT = """
import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, assert_type

from flow import Job, Task, cron, every, task


@task
def resize(path: str, width: int = 100) -> bytes:
    return path.encode() * width


@task(urgent=True, retries=5, backoff=[1, 2.5], timeout=30, on_crash="fail")
async def charge(order: int) -> float:
    return order / 2


@cron("0 7 * * *", tz="Europe/London")
@every(30, name="often")
@task(queue="reports", backoff=lambda attempt: attempt * 1.5)
def report(*, final: bool = False) -> None: ...


assert_type(resize("cat.png", width=3), bytes)
coroutine: Coroutine[Any, Any, float] = charge(7)
assert_type(resize.enqueue("cat.png", 3), Job[bytes])
assert_type(resize.enqueue("cat.png").result(timeout=1), bytes)
assert_type(charge.enqueue(7).result(), float)
assert_type(charge.enqueue_in(60, 7), Job[float])
assert_type(charge.enqueue_in(timedelta(minutes=1), order=7), Job[float])
assert_type(resize.enqueue_at(datetime.now(UTC), "cat.png"), Job[bytes])
assert_type(report.enqueue(final=True), Job[None])
assert_type(
    resize.enqueue_many(resize.call(p, width=200) for p in ("a", "b")), list[Job[bytes]]
)
assert_type(charge.enqueue_many([(1,), (2,)]), list[Job[float]])
assert_type(
    resize.options(id="a", depends_on=[resize.enqueue("b"), "c"]).enqueue("cat.png"),
    Job[bytes],
)


async def main() -> None:
    assert_type(await charge.aenqueue(order=7), Job[float])
    assert_type(await resize.enqueue("a").aresult(timeout=2), bytes)
    assert_type(await charge(7), float)


class Shelf:
    first: Task[[str], bytes, bytes]


asyncio.run(main())
"""

WRONG = """
from datetime import datetime, timedelta

from flow import task


@task
def resize(path: str, width: int = 100) -> bytes:
    return path.encode() * width


@task(urgent=True)
async def charge(order: int) -> float:
    return order / 2


resize(3)  # wrong
resize.enqueue(3)  # wrong
resize.enqueue()  # wrong
resize.enqueue("cat.png", "3")  # wrong
resize.enqueue("cat.png", height=3)  # wrong
resize.enqueue("cat.png", 3, 4)  # wrong
resize.call(3)  # wrong
resize.call("cat.png", width="3")  # wrong
resize.enqueue_in("60", "cat.png")  # wrong
resize.enqueue_in(60)  # wrong
resize.enqueue_in(60, 3)  # wrong
resize.enqueue_in(timedelta(1), "cat.png", width="3")  # wrong
resize.enqueue_at(60, "cat.png")  # wrong
resize.enqueue_at(datetime.now(), "cat.png", heigth=3)  # wrong
resize.enqueue_many([charge.call(7)])  # wrong
resize.enqueue_many(["cat.png"])  # wrong
resize.enqueue_many([resize.call(7)])  # wrong
resize.options(prioritty=3)  # wrong
resize.options(timeout="30")  # wrong
resize.options(at_front=True).enqueue(3)  # wrong
text: str = resize.enqueue("cat.png").result()  # wrong
number: int = charge.enqueue(7).result()  # wrong
charge.enqueue("7")  # wrong
task(retrys=3)  # wrong
task(urgent="yes")  # wrong


async def main() -> None:
    await charge.aenqueue("7")  # wrong
    await resize.aenqueue(path=7)  # wrong
    name: str = await charge.enqueue(7).aresult()  # wrong
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's project with two modules."""
    folder = tmp_path_factory.mktemp("typed")
    (folder / "right.py").write_text(RIGHT)
    (folder / "wrong.py").write_text(WRONG)
    (folder / "pyrightconfig.json").write_text('{"typeCheckingMode": "standard"}')
    return folder


def mypy(folder: Path, cache: Path) -> str:
    options = ["--config-file=", "--strict", "--no-error-summary", "--no-color-output"]
    options += ["--cache-dir", str(cache), "--python-executable", sys.executable]
    return _said(folder, "mypy", *options, "right.py", "wrong.py")


def pyright(folder: Path) -> str:
    options = ["--pythonpath", sys.executable, "--level", "error"]
    return _said(folder, "basedpyright", *options, "right.py", "wrong.py")


def _said(folder: Path, program: str, *options: str) -> str:
    command = [str(Path(sys.executable).parent / program), *options]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    ).stdout


def _rejected(said: str, module: str) -> set[int]:
    return {int(n) for n in re.findall(rf"{module}\.py:(\d+):.*error", said)}


def _wrong_lines() -> set[int]:
    lines = enumerate(WRONG.splitlines(), 1)
    return {number for number, line in lines if line.endswith("# wrong")}


def test_mypy_accepts_right_calls_and_rejects_each_wrong_one(
    folder: Path, pytestconfig: pytest.Config
) -> None:
    cache = pytestconfig.cache
    said = mypy(folder, cache.mkdir("typing") if cache else folder / "cache")
    assert _rejected(said, "right") == set(), said
    assert _rejected(said, "wrong") == _wrong_lines(), said


def test_pyright_accepts_right_calls_and_rejects_each_wrong_one(folder: Path) -> None:
    said = pyright(folder)
    assert _rejected(said, "right") == set(), said
    assert _rejected(said, "wrong") == _wrong_lines(), said
