"""Rounds: what every worker and clock does for all queues, also for others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.upkeep.janitor import Janitor
from flow.upkeep.recoverer import Recoverer
from flow.upkeep.seeker import Seeker
from flow.upkeep.tidier import Tidier

if TYPE_CHECKING:
    from flow.service import Service
    from flow.store.client import Store


def rounds(store: Store) -> list[Service]:
    """Return the services that go round all queues, the most urgent first."""
    return [Recoverer(store), Janitor(store), Tidier(store), Seeker(store)]
