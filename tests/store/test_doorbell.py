"""The doorbell: hears of keys whatever their names, and notices a silent server."""

from __future__ import annotations

import selectors
import signal
from typing import TYPE_CHECKING

import pytest

from flow.store.address import Address
from flow.store.doorbell import LONGEST, SILENCE, Doorbell
from tests.support.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

    from tests.support.server import Server

PREFIX = "rq:queue:high"


class Bell:
    """A doorbell, and the clock that it measures silence on."""

    def __init__(self, url: str) -> None:
        self.now = 0.0
        self.doorbell = Doorbell(Address(url, "the test"), (PREFIX,), "", self.time)

    def time(self) -> float:
        return self.now

    def rung(self, within: float) -> bool:
        """Return whether the descriptor becomes readable."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.doorbell.fileno(), selectors.EVENT_READ)
            return bool(selector.select(within))


@pytest.fixture
def bell(server: Server) -> Iterator[Bell]:
    bell = Bell(server.url)
    assert bell.doorbell.connect() is not None
    yield bell
    bell.doorbell.close()


def test_it_hears_of_its_keys_beside_one_that_is_no_text(
    bell: Bell, client: redis.Redis
) -> None:
    client.mset({b"rq:queue:high\xff\xfe": 1, b"rq:queue:low": 2})
    client.delete(b"rq:queue:high\xff\xfe", b"rq:queue:low")
    assert bell.rung(60)
    assert bell.doorbell.rung() == {PREFIX}


def test_a_server_that_answers_is_kept(bell: Bell) -> None:
    for _ in range(5):
        bell.now += SILENCE
        bell.doorbell.probe()
        assert bell.rung(60)  # its answer
        assert bell.doorbell.rung() == set()
    assert bell.doorbell.connected


def test_a_server_that_is_silently_gone_is_noticed() -> None:
    with running() as server:
        bell = Bell(server.url)
        assert bell.doorbell.connect() is not None
        server.signal(signal.SIGSTOP)  # its connections stay open
        try:
            for _ in range(2):
                bell.now += SILENCE
                bell.doorbell.probe()
            assert bell.rung(60)
            assert bell.doorbell.rung() is None
            assert not bell.doorbell.connected
        finally:
            server.signal(signal.SIGCONT)


def test_it_does_not_try_again_at_once_when_the_server_is_away() -> None:
    with running() as server:
        bell = Bell(server.url)
        server.kill()
        assert bell.doorbell.connect() is None
        server.start()
        assert bell.doorbell.connect() is None  # too early
        bell.now += LONGEST
        assert bell.doorbell.connect() is not None
        bell.doorbell.close()
