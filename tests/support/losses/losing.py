"""A way to the server on which replies get lost, and the cases that use it."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flow.config import Project
from flow.store import current
from flow.store.client import Store
from tests.support.proxy import Proxy, proxied

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from tests.support.server import Server


@dataclass(frozen=True)
class Losing:
    """One server, seen two ways.

    Args:
        store: the straight way.
        away: the way through the proxy, on which replies get lost.
        proxy: what loses them.
        times: how often a case is to lose one.

    """

    store: Store
    away: Store
    proxy: Proxy
    times: int

    def rounds(self, *scripts: str) -> Iterator[int]:
        """Give 0, 1, ...; in each round one reply of each script gets lost.

        Several scripts take turns: ``lose`` is for the second and those after it.
        """
        for n in range(self.times):
            before = self.proxy.lost
            self.proxy.lose(scripts[0])
            yield n
            assert self.proxy.lost == before + len(scripts), "a reply was not lost"

    def lose(self, script: str) -> None:
        """Lose the next reply of another script of this round."""
        self.proxy.lose(script)


Case = Callable[[Losing], None]
CASES: dict[str, list[Case]] = defaultdict(list)


def loses(*scripts: str) -> Callable[[Case], Case]:
    """Enter a case for scripts, by which ``test_every_script`` finds it."""

    def enter(case: Case) -> Case:
        for script in scripts:
            CASES[script].append(case)
        return case

    return enter


@contextlib.contextmanager
def losing(server: Server, folder: Path, times: int) -> Generator[Losing]:
    """Give the two ways until the block ends; tasks use the one that loses."""
    before = current.project()
    with proxied(server.socket, folder / "p") as proxy, contextlib.ExitStack() as ends:
        store = current.store()
        away = Store(replace(store.link.address, url=proxy.url))
        ends.callback(away.link.close)
        ends.callback(current.use, store, before)
        current.use(away, Project(folder, name="shop"))
        yield Losing(store, away, proxy, times)
