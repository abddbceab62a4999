"""A server that forgets or refuses: workers go on, and nothing is left lying."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from flow.record import Status
from flow.store import current
from flow.store.address import Address
from flow.store.client import Store
from tests.support import hazards
from tests.support.faults import Yard, let_go, settled
from tests.support.sentinels import free_port
from tests.support.server import running

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.support.server import Server

LONG = 60.0  # seconds a wait may take at most


@contextlib.contextmanager
def forgetful(folder: Path) -> Generator[tuple[Server, Yard]]:
    """Give a server that starts from its last snapshot, and a yard on it."""
    with running(options=("--appendonly", "no")) as server:
        store = Store(Address(server.url, "the test"))
        current.use(store)
        yard = Yard(server.url, folder)
        yield server, yard
        current.use(None)
        store.link.close()
        yard.nothing_left()


def test_outcomes_that_a_server_had_and_forgot_leave_no_job_running_for_ever(
    tmp_path: Path,
) -> None:
    with forgetful(tmp_path) as (server, yard):
        gate = yard.gate()
        again = hazards.hold.enqueue(yard.ledger, gate)
        never = hazards.hold_once.enqueue(yard.ledger, gate)
        with yard.worker(processes=2):
            yard.running(2)
            with server.client() as client:
                client.save()
            let_go(gate)
            yard.said("done in", 2)  # both processes have the server's answer
            server.kill()
            server.start()
            yard.said("Redis has lost outcomes that it had")
            settled(current.store())
            assert again.result(LONG) == "go"
            assert never.status == Status.FAILED  # on_crash="fail"
            assert "died" not in yard.log()
        assert len(yard.noted()) == 3


def test_outcomes_that_a_demoted_master_refuses_are_written_when_it_leads_again(
    yard: Yard, store: Store
) -> None:
    gate = yard.gate()
    job = hazards.hold.enqueue(yard.ledger, gate)
    with yard.worker(processes=2) as worker:
        yard.running()
        store.link.command("REPLICAOF", "127.0.0.1", free_port())
        try:
            let_go(gate)
            # To the supervisor, and to the process with the outcome.
            yard.said("read only replica", 2)
        finally:
            store.link.command("REPLICAOF", "NO", "ONE")
        assert job.result(LONG) == "go"
        assert worker.poll() is None
        assert "died" not in yard.log()
    assert len(yard.noted()) == 1
