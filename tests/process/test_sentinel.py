"""Sentinels name the master: who finds it, and what is said when nobody does."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from flow.store import current
from flow.store.address import Address
from flow.store.client import Store
from tests.support import hazards
from tests.support.faults import ROOT, Yard
from tests.support.sentinels import LONG, MASTER, Watched, free_port, watched

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def one() -> Iterator[Watched]:
    """A master, its replica, and a sentinel with a password."""
    with watched(password="s3cret") as servers:  # noqa: S106 - its own, of this test
        yield servers


def burst(url: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flow", "worker", "--burst", "--redis-url", url]
    return subprocess.run(
        [*command, "--processes", "1", "--app", "tests.support.hazards"],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )


def test_a_worker_says_where_the_master_is_and_no_secret(
    one: Watched, tmp_path: Path
) -> None:
    ended = burst(f"{one.url}?sentinel_password=s3cret", tmp_path)
    assert ended.returncode == 0, ended.stderr
    said = f"master {MASTER} is at 127.0.0.1:{one.first.port}\n"
    assert ended.stderr.count(said) == 1
    assert "sentinel_password=*** (--redis-url)" in ended.stderr
    assert "s3cret" not in ended.stderr


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/other/0?sentinel_password=s3cret", "watches no master 'other'"),
        (f"/{MASTER}/0?sentinel_password=wr0ng", "invalid username-password pair"),
        (f"/{MASTER}/zero", "is no number"),
        ("", "names no master"),
    ],
)
def test_what_cannot_be_found_so_is_said_in_one_line(
    one: Watched, tmp_path: Path, path: str, told: str
) -> None:
    port = one.sentinels[0].port
    ended = burst(f"redis+sentinel://127.0.0.1:{port}{path}", tmp_path)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("flow: ")
    assert told in line
    assert "s3cret" not in line
    assert "wr0ng" not in line


def test_sentinels_that_do_not_answer_are_named_and_waited_for(tmp_path: Path) -> None:
    port = free_port()
    yard = Yard(f"redis+sentinel://:s3cret@127.0.0.1:{port}/{MASTER}", tmp_path)
    with yard.worker() as worker:
        yard.said("waiting for Redis")
        yard.said(f"Error 111 connecting to 127.0.0.1:{port}")
        assert worker.poll() is None
        assert "s3cret" not in yard.log()


def test_a_result_is_awaited_from_the_master(one: Watched, tmp_path: Path) -> None:
    store = Store(Address(f"{one.url}?sentinel_password=s3cret", "the test"))
    current.use(store)
    try:
        job = hazards.echo.enqueue(7)
        ended = burst(store.link.address.url, tmp_path)
        assert ended.returncode == 0, ended.stderr
        assert asyncio.run(job.aresult(LONG)) == 7
    finally:
        current.use(None)
        store.link.close()


def test_clients_at_once_find_one_master(one: Watched) -> None:
    store = Store(Address(f"{one.url}?sentinel_password=s3cret", "the test"))
    together, found = threading.Barrier(4), set[str]()

    def ask() -> None:
        together.wait(LONG)
        info = store.link.command("INFO", "server")
        found.add(str(info["tcp_port"]))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.link.close()
    assert found == {str(one.first.port)}
