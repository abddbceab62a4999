"""The app's limits and its environment, which nothing else reads."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BYTES = 20 * 1024 * 1024  # of an upload
MAX_PIXELS = 50_000_000  # of a picture: a small file may hold a gigantic one
PREVIEW = 320  # pixels wide
WIDTHS = (480, 960, 1600)  # pixels wide
ORPHAN_AGE = 60.0  # seconds; anything younger may belong to an upload under way


@dataclass(frozen=True)
class Settings:
    """What may differ from one machine to the next.

    Args:
        media: the folder of the pictures and of the database.
        tidy_every: seconds between two removals of orphans.
        hosts: the names under which the page may be asked for.
    """

    media: Path
    tidy_every: float
    hosts: tuple[str, ...]


def load(environ: Mapping[str, str]) -> Settings:
    """Return the settings of an environment."""
    return Settings(
        media=Path(environ.get("PHOTOS_MEDIA") or "media").absolute(),
        tidy_every=float(environ.get("PHOTOS_TIDY_EVERY") or 60),
        # Any other name is refused: a page elsewhere on the web could give
        # itself a name that leads to this machine (DNS rebinding).
        hosts=tuple((environ.get("PHOTOS_HOSTS") or "127.0.0.1,localhost").split(",")),
    )


SETTINGS = load(os.environ)


def process_name() -> str:
    """Return the name of this process: ``worker.1`` under ``flow start``."""
    # Asked anew each time: a worker forks after it has loaded this module.
    return os.environ.get("DYNO") or f"{socket.gethostname()}-{os.getpid()}"
