"""Wires: one connection a thread, none shared with a fork, all new after a cut."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from flow.store.address import Address
from flow.store.link import Link
from tests.support.server import running

if TYPE_CHECKING:
    from flow.store.client import Store


def connections(store: Store) -> set[int]:
    listed: list[dict[str, str]] = store.link.command("CLIENT LIST")
    return {int(one["id"]) for one in listed}


def own_id(link: Link) -> int:
    return int(link.command("CLIENT ID"))


def test_calls_in_a_row_use_one_connection(store: Store) -> None:
    link = Link(store.link.address)
    assert len({own_id(link) for _ in range(10)}) == 1
    link.close()


def call_together(link: Link, threads: int) -> None:
    """Have so many threads wait for the server at once."""
    together = threading.Barrier(threads)

    def call() -> None:
        together.wait(60)
        link.command("BLPOP", "nothing", 0.2)

    started = [threading.Thread(target=call) for _ in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()


def test_threads_at_once_have_a_connection_each(store: Store) -> None:
    link, before = Link(store.link.address), connections(store)
    call_together(link, 4)
    first = connections(store) - before
    assert 1 <= len(first) <= 4
    call_together(link, len(first))
    assert connections(store) - before == first
    link.close()


def test_a_fork_leaves_its_parents_connection_alone(store: Store) -> None:
    link = Link(store.link.address)
    ours = own_id(link)
    pid = os.fork()
    if pid == 0:
        os._exit(0 if own_id(link) != ours else 1)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert own_id(link) == ours
    link.close()


def test_one_further_try_is_enough_when_all_connections_were_cut(store: Store) -> None:
    link = Link(store.link.address)
    call_together(link, 4)
    # Each of them is dead now; a further try must not meet the next dead one.
    store.link.command("CLIENT KILL", "TYPE", "normal", "SKIPME", "yes")
    assert own_id(link)
    link.close()


class Mended:
    """Patience that lets everybody in again, and has the call tried once more."""

    def __init__(self, admin: Link) -> None:
        self._admin = admin

    def __call__(self, error: Exception, delay: float) -> bool:
        self._admin.command("CONFIG SET", "requirepass", "")
        return delay >= 0 and bool(str(error))

    def answered(self) -> None:
        pass


def test_a_role_that_was_let_in_waits_for_its_login_to_be_set_right() -> None:
    with running() as server:
        address = Address(server.url, "the test")
        admin = Link(address)
        role = Link(address, Mended(admin))
        assert role.command("PING")
        admin.command("CONFIG SET", "requirepass", "s3cret")
        role.close()
        assert role.command("PING")
        role.close()
        admin.close()
