"""The commands that talk to a running session, as a person types them."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from tests.runner.started import PROGRAM, environment
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

Dyno = dict[str, Any]


def flow(folder: Path, *arguments: str, code: int = 0) -> str:
    """Run a command to its end; return its output, its errors last."""
    ended = subprocess.run(
        [*PROGRAM, *arguments],
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
    )
    assert ended.returncode == code, ended
    return ended.stdout + ended.stderr


def dynos(folder: Path) -> dict[str, Dyno]:
    return {one["name"]: one for one in json.loads(flow(folder, "ps", "--json"))}


def wait_for_dyno(folder: Path, name: str, state: str) -> Dyno:
    """Return the dyno once it is in that state."""
    return wait_until(
        lambda: (
            one if (one := dynos(folder).get(name, {})).get("state") == state else {}
        ),
        timeout=60,
        every=0.2,
        waiting_for=f"{name} {state}",
    )
