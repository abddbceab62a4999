"""How processes are started: what was told, else by platform and by threads."""

from __future__ import annotations

import pytest

from flow import codec
from flow.errors import ConfigError
from flow.workers import births, callbacks
from flow.workers.spawning import Spawning


@pytest.mark.parametrize(
    ("asked", "threads", "platform", "method"),
    [
        ("auto", [], "linux", "fork"),
        ("auto", ["poller"], "linux", "spawn"),
        ("auto", [], "darwin", "spawn"),
        ("fork", ["poller"], "darwin", "fork"),
        ("spawn", [], "linux", "spawn"),
    ],
)
def test_the_method_is_what_was_told_else_what_is_safe(
    asked: str, threads: list[str], platform: str, method: str
) -> None:
    assert births.chosen(asked, threads, platform)[0] == method


def test_what_no_other_process_can_be_given_is_named() -> None:
    callbacks.use_handlers([lambda *_: None])
    try:
        with pytest.raises(ConfigError, match=r"lambda.*FLOW_START_METHOD=fork"):
            Spawning()
    finally:
        callbacks.use_handlers([])
    assert codec.used() is None
