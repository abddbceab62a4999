"""Reads for people: the command line and the page; the engine never imports this."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flow import keys

if TYPE_CHECKING:
    from flow.store.client import Store


def last_beats(store: Store, host: str) -> dict[str, float]:
    """Return when each role of a host last beat: ``role:pid`` -> unix seconds."""
    flat = cast("dict[bytes, bytes]", store.link.command("HGETALL", keys.host(host)))
    return {role.decode(): float(beat) for role, beat in flat.items()}
