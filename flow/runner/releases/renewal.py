"""Has the running session take changed config vars: one restart for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flow.errors import SessionError
from flow.runner.control.client import Client
from flow.runner.session.state import State

if TYPE_CHECKING:
    from pathlib import Path

    from flow.runner.releases.release import Release


def renew(folder: Path, release: Release) -> list[str] | None:
    """Have the running session restart its processes once; return their names.

    Args:
        folder: the ``.flow`` of the project.
        release: what they are to run with; the current one.

    Returns:
        None, if no session runs.

    Raises:
        SessionError: it could not; the release is made all the same.
    """
    try:
        session = Client(State(folder))
    except SessionError:
        return None
    with session:
        try:
            names: list[str] = session.ask("restart", alive=True)["dynos"]
        except SessionError as error:
            raise SessionError(
                f"{release.name} is made, but the running session did not restart:"
                f" {error}"
            ) from None
    return names
