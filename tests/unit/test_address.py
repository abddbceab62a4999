"""Addresses: what they say, shown without their secrets."""

from __future__ import annotations

import pytest

from flow.errors import ConfigError
from flow.store import sentinel
from flow.store.address import Address, masked
from flow.store.link import connect


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://localhost:6379/0", "redis://localhost:6379/0"),
        ("redis://:s3cret@host:1", "redis://:***@host:1"),
        ("rediss://ann:s3cret@host/2", "rediss://ann:***@host/2"),
        ("redis://ann:s3@cret@host", "redis://ann:***@host"),
        ("redis://:s3cret#x@h:6379/0", "redis://:***@h:6379/0"),
        ("redis://:s3/cret@h", "redis://:***@h"),
        ("redis://:s3?cret@h?db=1", "redis://:***@h?db=1"),
        ("redis://[::1:6379", "redis://[::1:6379"),
        ("redis://host?password=s3cret&db=2", "redis://host?password=***&db=2"),
        ("unix:///home/me@corp/.flow/s", "unix:///home/me@corp/.flow/s"),
        ("rediss://h?ssl_password=s3cret", "rediss://h?ssl_password=***"),
        ("unix://:s3cret@/a/b.sock?db=1", "unix://:***@/a/b.sock?db=1"),
        ("redis://h?password=a@s3cret&db=1", "redis://h?password=***&db=1"),
        ("redis://h?password=s3#cret", "redis://h?password=***"),
        (
            "redis+sentinel://ann:s3cret@h1:1,h2:2/m/0?sentinel_password=s3@cret",
            "redis+sentinel://ann:***@h1:1,h2:2/m/0?sentinel_password=***",
        ),
    ],
)
def test_no_secret_is_shown(url: str, shown: str) -> None:
    assert masked(url) == shown
    assert "cret" not in str(Address(url, "REDIS_URL"))


@pytest.mark.parametrize(
    ("hosts", "members"),
    [
        ("h1", [("h1", 26379)]),
        ("h1:1,h2", [("h1", 1), ("h2", 26379)]),
        ("[::1]:1,10.0.0.1", [("::1", 1), ("10.0.0.1", 26379)]),
    ],
)
def test_sentinels_are_read(hosts: str, members: list[tuple[str, int]]) -> None:
    read = sentinel.read(f"redis+sentinel://:p%2Fw@{hosts}/m%20y/2?socket_timeout=1")
    assert list(read.members) == members
    assert read.master == "m y"
    told = {"password": "p/w", "db": 2, "socket_timeout": 1.0}
    assert read.options.items() >= told.items()


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://h1:26379,[::1]:1/mymaster/0",
        "redis+sentinel://ann:p%2Fw@h1:26379/m%20y/3?sentinel_username=bob",
        "rediss+sentinel://:pw@h1:26379/m/0?ssl_cert_reqs=none&sentinel_password=x",
    ],
)
def test_what_was_read_makes_the_same_url_again(url: str) -> None:
    assert sentinel.url_of(sentinel.read(url)) == url


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis+sentinel://h1:26379", "it names no master"),
        ("redis+sentinel://h1:26379/", "it names no master"),
        ("redis+sentinel:///m/0", "its hosts are not host:port,host:port"),
        ("redis+sentinel://h1,,h2/m/0", "its hosts are not host:port,host:port"),
        ("redis+sentinel://h1:port/m/0", "its hosts are not host:port,host:port"),
        ("redis+sentinel://:s3/cret@h1/m/0", "what follows the master is no number"),
        ("redis+sentinel://h1/m/x", "what follows the master is no number"),
        ("redis+sentinel://h1/m?sentinel_db=1", "it has an option sentinel_db"),
        (
            "redis+sentinel://h1/m?socket_timeout=x",
            "Invalid value for 'socket_timeout'",
        ),
        ("sentinel://h1/m", "is no address of a Redis"),
        ("amqp://user:s3cret@broker:5672/", "is no address of a Redis"),
        ("sqs://", "is no address of a Redis"),
    ],
)
def test_what_names_no_server_is_said_without_secrets(url: str, told: str) -> None:
    with pytest.raises(ConfigError) as raised:
        connect(Address(url, "the test"))
    (line,) = str(raised.value).splitlines()
    assert told in line
    assert "redis+sentinel://host:26379,host:26379/MASTER/0" in line
    assert "cret" not in line
