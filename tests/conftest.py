"""What every test may ask for: a real server, emptied for each test."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from flow.store import current
from flow.store.address import Address
from flow.store.client import Store
from tests.support.leaks import leaks
from tests.support.server import Server, running
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker for tests that leave something on purpose."""
    config.addinivalue_line(
        "markers", "leaves_keys(why): keys without a TTL stay, and that is right here"
    )


# A busy machine generates and runs slowly; that is no fault of what is tested.
settings.register_profile(
    "busy", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("busy")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts background jobs so, and every process of a test would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def no_key_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a key for ever which is not catalogued as permanent."""
    asks = "server" in request.fixturenames
    shared: Server | None = request.getfixturevalue("shared_server") if asks else None
    yield
    if shared is None or request.node.get_closest_marker("leaves_keys"):
        return
    store = Store(Address(shared.url, "the test"))
    try:
        left = leaks(store)
        # A process that was just killed may have sent a last command: what it changed
        # between two reads of this check is no leak, what stays is.
        if left:
            wait_until(
                lambda: not leaks(store),
                timeout=5,
                waiting_for=f"the end of keys without a TTL: {left}",
            )
    finally:
        store.link.close()


@pytest.fixture(scope="session")
def shared_server() -> Iterator[Server]:
    """One server for all tests of this process."""
    with running() as server:
        yield server


@pytest.fixture
def server(shared_server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """An empty server, which REDIS_URL names."""
    with shared_server.client() as client:
        client.flushall()  # pyright: ignore[reportUnknownMemberType]
    monkeypatch.setenv("REDIS_URL", shared_server.url)
    yield shared_server
    if not shared_server.answers():
        shared_server.start()


@pytest.fixture
def client(server: Server) -> Iterator[redis.Redis]:
    """A plain redis-py client of the server."""
    with server.client() as client:
        yield client


@pytest.fixture
def store(server: Server) -> Iterator[Store]:
    """The store that tasks of this test use."""
    store = Store(Address(server.url, "the test"))
    current.use(store)
    yield store
    current.use(None)
    store.link.close()
