"""A replica that lagged is promoted: Redis knows less than clocks and workers do."""

from __future__ import annotations

import shutil
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.scheduler.clocks import Site, none_is_missing, ticks
from tests.support.server import Server, running
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

BEAT = """\
from flow import every, task


@every(1, catch_up="all", on_data_loss="{policy}")
@task
def beat() -> None: ...
"""


class Pair:
    """A primary, its replica, and the one address that clocks know."""

    def __init__(self, folder: Path, primary: Server, replica: Server) -> None:
        self.folder = folder
        self.primary = primary
        self.replica = replica
        self._link = folder / "now"
        self.url = f"unix://{self._link}"
        self._point_to(primary)

    def follow(self) -> None:
        """Have the replica follow the primary."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        with self.primary.client() as primary, self.replica.client() as replica:
            raw: Any = primary
            raw.config_set("port", port)
            raw.config_set("repl-diskless-sync-delay", 0)
            raw = replica
            raw.replicaof("127.0.0.1", port)
            wait_until(
                lambda: raw.info("replication")["master_link_status"] == "up",
                timeout=60,
                waiting_for="the replica to follow",
            )

    def part(self) -> None:
        """Cut the way between them: from now on the replica lags."""
        with self.primary.client() as primary:
            raw: Any = primary
            raw.config_set("port", 0)
            raw.client_kill_filter(_type="replica")

    def promote(self) -> None:
        """Promote the replica, and have the address lead there."""
        with self.replica.client() as replica:
            raw: Any = replica
            raw.replicaof("NO", "ONE")
        self._point_to(self.replica)

    def _point_to(self, server: Server) -> None:
        new = self.folder / "new"
        new.symlink_to(server.socket)
        new.replace(self._link)


@pytest.fixture
def pair() -> Iterator[Pair]:
    folder = Path(tempfile.mkdtemp(prefix="flow-test-"))
    with running() as primary, running() as replica:
        yield Pair(folder, primary, replica)
    shutil.rmtree(folder)


def more(client: redis.Redis, count: int) -> list[int]:
    """Wait for so many ticks more; return all."""
    before = len(ticks(client))
    wait_until(
        lambda: len(ticks(client)) >= before + count, timeout=60, waiting_for="ticks"
    )
    return ticks(client)


def left_out(site: Site) -> list[int]:
    """Return the ticks that were left out because data was lost."""
    notes = [note for note in site.ledger() if note.reason == "data_loss"]
    return [tick for note in notes for tick in range(note.tick, note.until + 1, 1000)]


@pytest.mark.parametrize(
    ("policy", "survivor"),
    [("again", "leader"), ("skip", "leader"), ("skip", "standby")],
)
def test_a_replica_that_lagged_is_promoted(
    pair: Pair, policy: str, survivor: str
) -> None:
    site = Site(pair.folder / "app", pair.url, BEAT.format(policy=policy))
    try:
        with pair.primary.client() as primary, pair.replica.client() as replica:
            clocks = site.clocks(2)
            pair.follow()
            more(primary, 2)
            pair.part()
            fired = more(primary, 4)
            kept = ticks(replica)
            leader = site.wait_for_leader(primary)
            gone = [one for one in clocks if (one is leader) == (survivor == "standby")]
            pair.primary.kill()
            gone[0].kill()
            pair.promote()
            found = more(replica, 3)
            skipped = left_out(site)
        assert any(one.said("Redis has forgotten") for one in clocks)
    finally:
        site.end()
    assert found[: len(kept)] == kept
    judge(policy, fired[len(kept) :], found, skipped)


def judge(policy: str, lost: list[int], found: list[int], skipped: list[int]) -> None:
    """Fail unless lost ticks were repeated, or left out, and no others."""
    # A clock that stands by learns within a second what the leader has fired.
    known = lost[:-1]
    assert len(known) >= 2
    assert set(known) <= set(found if policy == "again" else skipped)
    none_is_missing(sorted(found + skipped))
    assert not skipped or policy == "skip"
