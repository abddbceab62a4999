"""flow's worker behind RQ's own commands: one flag in an RQ shop."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from redis import Redis, SSLConnection
from redis.sentinel import Sentinel
from rq import Worker as RqWorker

from flow.errors import ConfigError
from flow.store import sentinel
from flow.store.rqaddress import address_of
from flow.workers.rq import Worker
from tests.support.leaks import queued
from tests.support.shop import tasks
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from flow.store.client import Store
    from tests.support.apps import Untyped
    from tests.support.server import Server

ROOT = Path(__file__).parents[2]
RQ = str(Path(sys.executable).parent / "rq")
CLASS = "--worker-class=flow.workers.Worker"


def rq(server: Server, command: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [RQ, command, "--url", server.url, *words],
        cwd=ROOT,
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("command", ["worker", "worker-pool"])
def test_rqs_own_command_runs_jobs_with_flows_engine(
    command: str, server: Server, store: Store
) -> None:
    del store
    job = tasks.echo.enqueue(7)
    done = rq(server, command, "--burst", CLASS, "high", "default")
    assert done.returncode == 0, done.stderr
    assert job.result(timeout=0) == 7
    assert "worker is up: serves high, default" in done.stderr


def test_rq_info_shows_it(server: Server, client: Redis) -> None:
    worker = subprocess.Popen(
        [RQ, "worker", "--url", server.url, "--name", "ours", CLASS, "default"],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: RqWorker.count(client), waiting_for="the worker to register")
        (shown,) = RqWorker.all(client)
        assert (shown.name, shown.queue_names()) == ("ours", ["default"])
        for words in ((), (CLASS,)):
            told = rq(server, "info", *words).stdout
            assert "ours" in told
            assert "1 workers" in told
    finally:
        os.kill(worker.pid, signal.SIGTERM)
        assert worker.wait(timeout=30) == 0
    assert RqWorker.count(client) == 0


def test_a_setting_that_flow_does_not_follow_is_refused_by_name(
    server: Server,
) -> None:
    done = rq(server, "worker", "--burst", "--max-idle-time", "3", CLASS, "default")
    assert done.returncode == 1
    assert "does not follow max_idle_time" in done.stderr


def test_a_queue_class_is_followed_that_only_enqueues_in_its_own_way(
    server: Server, store: Store
) -> None:
    assert store
    job = tasks.echo.enqueue(7)
    ours = "--queue-class=tests.support.shop.queues"
    done = rq(server, "worker", "--burst", CLASS, f"{ours}.Enqueueing", "default")
    assert done.returncode == 0, done.stderr
    assert job.result(timeout=0) == 7
    done = rq(server, "worker", "--burst", CLASS, f"{ours}.Elsewhere", "default")
    assert done.returncode == 1
    assert "does not follow queue_class" in done.stderr


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_results_are_kept_as_long_as_the_command_says(
    server: Server,
    client: Redis,
    queue: Untyped,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
) -> None:
    monkeypatch.setenv("FLOW_START_METHOD", method)
    silent = queue.enqueue("tests.support.shop.plain.add", 1)
    own = queue.enqueue("tests.support.shop.plain.add", 1, result_ttl=50)
    done = rq(server, "worker", "--burst", "--results-ttl", "5000", CLASS, "default")
    assert done.returncode == 0, done.stderr
    assert 4000 < client.ttl(silent.key) <= 5000
    assert 0 < client.ttl(own.key) <= 50


def test_it_ends_after_as_many_jobs_as_it_was_told(
    server: Server, store: Store
) -> None:
    jobs = tasks.echo.enqueue_many([(n,) for n in range(5)])
    done = rq(server, "worker", "--max-jobs", "3", CLASS, "default")
    assert done.returncode == 0, done.stderr
    assert [job.status for job in jobs] == ["finished"] * 3 + ["queued"] * 2
    assert len(queued(store)) == 2


def test_constructing_it_starts_nothing(client: Redis) -> None:
    Worker(["default"], name="only-made", connection=client)
    assert RqWorker.count(client) == 0
    assert client.keys("flow:*") == []


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost:6390/3",
        "redis://ann:p%40ss@localhost:6390",
        "redis://[::1]:6390",
        "rediss://localhost:6390?ssl_cert_reqs=none",
        "unix:///a%20folder/redis.sock?db=2",
    ],
)
def test_it_uses_the_server_that_the_command_was_given(url: str) -> None:
    given = Redis.from_url(url).connection_pool.connection_kwargs
    again = Redis.from_url(address_of(Redis.from_url(url)).url)
    assert again.connection_pool.connection_kwargs.items() >= {
        (name, given[name])
        for name in ("host", "port", "db", "username", "password", "path")
        if name in given
    }


@pytest.mark.parametrize(
    "asked",
    [
        {"ssl_cert_reqs": None, "ssl_check_hostname": False},
        {"ssl_cert_reqs": ssl.CERT_NONE, "ssl_check_hostname": False},
        {"ssl_ca_path": "/etc/ssl/our own", "ssl_ca_certs": "/a&b.pem"},
    ],
)
def test_it_trusts_whom_the_connection_trusts(asked: dict[str, Any]) -> None:
    given: Any = Redis(host="localhost", ssl=True, **asked)
    again: Any = Redis.from_url(address_of(given).url)
    (one, other) = (
        client.connection_pool.make_connection() for client in (given, again)
    )
    assert isinstance(other, SSLConnection)
    for name in ("cert_reqs", "check_hostname", "ca_path", "ca_certs"):
        assert getattr(other, name) == getattr(one, name)


def test_a_connection_without_an_address_is_refused() -> None:
    connection = Redis()
    del connection.connection_pool.connection_kwargs["host"]
    with pytest.raises(ConfigError, match="finds no address"):
        address_of(connection)


def test_it_asks_the_sentinels_that_the_connection_asks() -> None:
    # As `rq worker -c settings` makes it of SENTINEL in the settings.
    make: Any = Sentinel  # redis-py leaves it untyped
    sentinels = make(
        [("10.0.0.1", 26379), ("::1", 26380)],
        sentinel_kwargs={"password": "their own"},
        username="ann",
        password="p@ss",  # noqa: S106 - a case
        db=3,
        ssl=True,
        ssl_cert_reqs=None,
    )
    url = address_of(sentinels.master_for("my master")).url
    assert url == (
        "rediss+sentinel://ann:p%40ss@10.0.0.1:26379,[::1]:26380/my%20master/3"
        "?ssl_cert_reqs=none&sentinel_password=their+own"
    )
    read = sentinel.read(url)
    assert read.members == (("10.0.0.1", 26379), ("::1", 26380))
    assert read.master == "my master"
    assert read.login == {"password": "their own"}
    assert read.options.items() >= {
        ("username", "ann"),
        ("password", "p@ss"),
        ("db", 3),
        ("ssl", True),
        ("ssl_cert_reqs", "none"),
    }
