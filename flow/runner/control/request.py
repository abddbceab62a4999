"""What a request names, and what is answered; both are JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from flow.errors import SessionError

if TYPE_CHECKING:
    from flow.runner.processes.dyno import Dyno
    from flow.runner.session.roster import Roster

Answer = dict[str, Any]


def texts(request: Answer) -> list[str]:
    """Return the names in a request."""
    names: object = request.get("names", [])
    found = cast("list[object]", names) if isinstance(names, list) else []
    return [str(name) for name in found]


def chosen(roster: Roster, names: list[str], most: int = 10_000) -> list[Dyno]:
    """Return the dynos that are meant; without names all but one-offs.

    Args:
        roster: the dynos.
        names: of dynos or of types.
        most: how many may be meant.

    Raises:
        SessionError: there is none of that name, or there are too many.
    """
    every = [one for one in roster.in_order() if not one.one_off]
    found = [] if names else every
    for name in names:
        one = roster.dynos.get(name)
        some = [one] if one else roster.of_type(name)
        if not some:
            known = ", ".join(one.name for one in roster.in_order())
            raise SessionError(f"no process {name!r} runs here; there are: {known}")
        found += some
    if len(found) > most:
        raise SessionError(f"name one of {', '.join(one.name for one in found)}")
    return list(dict.fromkeys(found))
