"""Addresses are shown without their secrets."""

from __future__ import annotations

import pytest

from flow.store.address import Address, masked


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
    ],
)
def test_no_secret_is_shown(url: str, shown: str) -> None:
    assert masked(url) == shown
    assert "cret" not in str(Address(url, "REDIS_URL"))
